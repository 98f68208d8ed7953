#include "connector/chat_servers/send_queue.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::connector {
namespace {

using chat::v1::ChainedSend;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const ChainedSend> Say(const std::string& content) {
  auto send = std::make_shared<ChainedSend>();
  send->mutable_send()->set_content(content);
  return send;
}

std::vector<std::string> Contents(const SendMessage& message) {
  std::vector<std::string> contents;
  for (const ChainedSend& send : message.request().sends()) contents.push_back(send.send().content());
  return contents;
}

TEST(SendQueue, WhatWaitsLeavesTogetherInOrder) {
  SendQueue queue;
  EXPECT_EQ(queue.Take(), nullptr);
  queue.Add(Say("a"));
  queue.EndChain(7);
  queue.Add(Say("b"));
  queue.EndChain(8);
  const auto message = queue.Take();
  ASSERT_NE(message, nullptr);
  EXPECT_THAT(Contents(*message), ElementsAre("a", "b"));
  EXPECT_THAT(message->request().ended_chains(), ElementsAre(7, 8));
  EXPECT_EQ(queue.Take(), nullptr);

  queue.EndChain(9);
  const auto ends = queue.Take();
  ASSERT_NE(ends, nullptr);
  EXPECT_THAT(Contents(*ends), IsEmpty());
  EXPECT_THAT(ends->request().ended_chains(), ElementsAre(9));
}

TEST(SendQueue, MessagesAreBounded) {
  SendQueue queue;
  const std::string half(120 * 1024, 'x');
  for (int i = 0; i < 4; ++i) queue.Add(Say(half + std::to_string(i)));
  queue.Add(Say(std::string(300 * 1024, 'y')));
  queue.Add(Say("z"));
  EXPECT_THAT(Contents(*queue.Take()), ElementsAre(half + "0", half + "1"));
  EXPECT_THAT(Contents(*queue.Take()), ElementsAre(half + "2", half + "3"));
  EXPECT_EQ(queue.Take()->request().sends_size(), 1) << "a large send has a message of its own";
  EXPECT_THAT(Contents(*queue.Take()), ElementsAre("z"));
  EXPECT_EQ(queue.Take(), nullptr);
}

TEST(SendQueue, SendsAreSharedAndNotCopied) {
  auto a = Say("a");
  const auto b = Say("b");
  const ChainedSend* const first = a.get();
  {
    SendQueue queue;
    queue.Add(a);
    queue.Add(b);
    a = nullptr;
    const auto message = queue.Take();
    EXPECT_EQ(&message->request().sends(0), first) << "lives while it may be written";
    EXPECT_EQ(&message->request().sends(1), b.get());
    EXPECT_EQ(b.use_count(), 2);
    queue.Add(b);  // In a message that is never taken.
  }
  EXPECT_EQ(b.use_count(), 1);
  EXPECT_EQ(b->send().content(), "b");
}

}  // namespace
}  // namespace hubbub::connector
