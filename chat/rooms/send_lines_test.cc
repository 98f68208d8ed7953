#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/rooms/room_table.h"
#include "chat/testing/fake_log.h"
#include "chat/testing/fake_subscriber.h"
#include "chat/testing/fake_waiter.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A table with a log, and the room "red" with ann and bob.
class SendLinesTest : public ::testing::Test {
 protected:
  explicit SendLinesTest(size_t max_proposals = 2'048) {
    RoomTable::Options options;
    options.now_ms = [this] { return now_ms_.load(); };
    options.room.shown_ms = [this] { return shown_ms_.load(); };
    options.new_epoch = [] { return uint64_t{7}; };
    options.room.max_proposals = max_proposals;
    options.log = &log_;
    table_ = std::make_unique<RoomTable>(std::move(options));
    EXPECT_TRUE(table_->Open(LoggedRoom("red")).ok());
    EXPECT_TRUE(table_->Add("red", "ann", {a_, 1, "ann's token"}, "").ok());
    EXPECT_TRUE(table_->Add("red", "bob", {b_, 1, "bob's token"}, "").ok());
    a_->Take();
    b_->Take();
  }

  // Proposes; its outcome goes to waiter_ by the content. What was answered at once is returned.
  absl::StatusOr<SendResult> Say(const std::string& content, const std::string& id = "",
                                 const std::string& target = kEverybody) {
    SendTicket ticket{waiter_, waiter_->Expect(content)};
    return table_->Send("red", "ann", target, content, id, {}, nullptr, &ticket);
  }
  void Propose(const std::string& content, const std::string& id = "",
               const std::string& target = kEverybody) {
    const auto sent = Say(content, id, target);
    ASSERT_TRUE(sent.ok()) << sent.status();
    ASSERT_TRUE(sent->pending);
  }
  // What a batch gets: "content@offset".
  std::vector<std::string> Take(size_t max_events = 100, size_t max_bytes = 1 << 20) {
    std::vector<RoomLines::Taken> taken;
    table_->lines().Take("red", max_events, max_bytes, taken);
    std::vector<std::string> texts;
    for (const auto& one : taken)
      texts.push_back(fmt::format("{}@{}", one.event->content, one.event->offset));
    return texts;
  }
  void Publish(uint64_t up_to) {
    Gather gather;
    table_->lines().Publish("red", up_to, gather);
  }
  void Refuse() {
    Gather gather;
    table_->lines().Refuse("red", absl::UnknownError("perhaps"), absl::AbortedError("no"), gather);
  }
  void GiveUp(int64_t before_ms) {
    Gather gather;
    table_->lines().GiveUp(before_ms, absl::UnavailableError("the store is away"), gather);
  }

  std::atomic<int64_t> now_ms_ = 1'000'000;
  std::atomic<int64_t> shown_ms_ = 5'000'000;
  FakeLog log_;
  const std::shared_ptr<FakeWaiter> waiter_ = std::make_shared<FakeWaiter>();
  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> b_ = std::make_shared<FakeSubscriber>(2);
  std::unique_ptr<RoomTable> table_;
};

TEST_F(SendLinesTest, NobodySeesAMessageBeforeTheLogHasIt) {
  Propose("one");
  Propose("two");
  EXPECT_THAT(log_.TakeWoken(), ElementsAre("red")) << "once until a batch takes them";
  EXPECT_THAT(Take(), ElementsAre("one@1", "two@2"));
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  EXPECT_THAT(waiter_->Take(), IsEmpty());
  Propose("three");
  EXPECT_THAT(log_.TakeWoken(), ElementsAre("red"));
  Publish(2);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("ann to *: one@1", "ann to *: two@2"));
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: 1", "two: 2"));
  EXPECT_THAT(Take(), ElementsAre("three@3"));
  Publish(3);
  EXPECT_THAT(waiter_->Take(), ElementsAre("three: 3"));
  EXPECT_EQ(table_->counts().messages, 3u);
  EXPECT_EQ(table_->counts().presence, 2u);
  EXPECT_THAT(table_->lines().Waiting(), IsEmpty());
  EXPECT_EQ(table_->lines().budget().bytes(), 0u);
}

TEST_F(SendLinesTest, ABatchIsBoundedAndGoesOnWhereTheLastOneEnded) {
  for (const char* content : {"1", "2", "3", "4"}) Propose(content);
  EXPECT_THAT(Take(2), ElementsAre("1@1", "2@2"));
  EXPECT_THAT(Take(100, 10), ElementsAre("3@3")) << "red, ann, * and the content are 8 bytes";
  Publish(3);
  EXPECT_THAT(Take(), ElementsAre("4@4"));
}

TEST_F(SendLinesTest, ComingsAndGoingsTakeNoOffsetAndDoNotWait) {
  Propose("one");
  ASSERT_THAT(Take(), ElementsAre("one@1"));
  ASSERT_TRUE(table_->KickPlace("red", "ann", {1, 1}).ok());
  const auto left = b_->Take();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0]->offset, 0u);
  EXPECT_EQ(left[0]->change, 3u);
  Publish(1);
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("ann to *: one@1")) << "it was accepted, so it is published";
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: 1"));
}

TEST_F(SendLinesTest, AnIdThatIsProposedIsOneEventAndOneOutcome) {
  Propose("one", "id");
  Propose("again", "id");
  EXPECT_THAT(Take(), ElementsAre("one@1"));
  Propose("and again", "id");
  Publish(1);
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: 1", "again: 1 repeated", "and again: 1 repeated"));
  const auto later = Say("later", "id");
  ASSERT_TRUE(later.ok());
  EXPECT_TRUE(later->repeated);
  EXPECT_FALSE(later->pending);
  EXPECT_EQ(later->offset, 1u);
}

TEST_F(SendLinesTest, WhatWasNotDoneMayBeTakenAgain) {
  Propose("one");
  Propose("two");
  EXPECT_THAT(Take(), ElementsAre("one@1", "two@2"));
  table_->lines().PutBack("red");
  EXPECT_THAT(Take(1), ElementsAre("one@1"));
  Gather gather;
  table_->lines().RefuseFirst("red", absl::InternalError("bad"), gather);
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: INTERNAL"));
  EXPECT_THAT(Take(), ElementsAre("two@1")) << "no hole";
}

TEST_F(SendLinesTest, ARefusedLineEndsInOrder) {
  Propose("one", "id");
  Propose("two");
  ASSERT_THAT(Take(1), ElementsAre("one@1"));
  Refuse();
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: UNKNOWN", "two: ABORTED"));
  EXPECT_THAT(Take(), IsEmpty());
  Publish(2);
  EXPECT_THAT(a_->TakeTexts(), IsEmpty());
  Propose("one", "id");
  EXPECT_THAT(Take(), ElementsAre("one@1")) << "its id is free again";
}

// A sender learns first that its send was refused: its later sends must not overtake the repeated one.
TEST_F(SendLinesTest, NothingIsProposedUntilThoseWhoWereRefusedKnowIt) {
  Propose("one");
  absl::Status meanwhile;
  waiter_->on_sent = [&] { meanwhile = Say("two").status(); };
  Refuse();
  EXPECT_TRUE(absl::IsAborted(meanwhile)) << meanwhile;
  waiter_->on_sent = nullptr;
  Propose("three");
}

TEST_F(SendLinesTest, WhatWaitsTooLongIsGivenUp) {
  Propose("one", "id");
  ASSERT_THAT(Take(), ElementsAre("one@1"));
  Propose("two");
  now_ms_ += 1'000;
  Propose("three");
  GiveUp(now_ms_ - 1'000);
  EXPECT_THAT(waiter_->Take(), IsEmpty());
  GiveUp(now_ms_ - 999);
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: UNKNOWN", "two: UNAVAILABLE", "three: UNAVAILABLE"))
      << "the younger one must not overtake the repeat of the older";
  Propose("asks again", "id");
  Publish(1);
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("ann to *: one@1")) << "what is in doubt is not given up";
  EXPECT_THAT(waiter_->Take(), ElementsAre("asks again: 1 repeated"));
}

class ShortLineTest : public SendLinesTest {
 protected:
  ShortLineTest() : SendLinesTest(/*max_proposals=*/2) {}
};

TEST_F(ShortLineTest, ALineIsBounded) {
  Propose("one", "id");
  Propose("two");
  const auto third = Say("three");
  EXPECT_TRUE(absl::IsResourceExhausted(third.status()));
  EXPECT_THAT(std::string(third.status().message()), HasSubstr("2 messages to room \"red\" wait"));
  Propose("one again", "id");
}

TEST_F(SendLinesTest, TimesDoNotFall) {
  Propose("one");
  std::vector<RoomLines::Taken> taken;
  table_->lines().Take("red", 1, 100, taken);
  shown_ms_ -= 500;
  Propose("two");
  table_->lines().Take("red", 1, 100, taken);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].event->time_ms, 5'000'000);
  EXPECT_EQ(taken[1].event->time_ms, 5'000'000);
  EXPECT_EQ(taken[0].recipients, 2u);
}

TEST_F(SendLinesTest, APrivateMessageDoesNotGoToALaterHolderOfTheName) {
  Propose("secret", "", "bob");
  ASSERT_THAT(Take(), ElementsAre("secret@1"));
  ASSERT_TRUE(table_->Kick("red", "bob").ok());
  ASSERT_TRUE(table_->Add("red", "bob", {b_, 2, "another token"}, "").ok());
  b_->Take();
  Publish(1);
  EXPECT_THAT(b_->TakeTexts(), IsEmpty());
  EXPECT_THAT(waiter_->Take(), ElementsAre("secret: 1"));
  Propose("hello", "", "bob");
  ASSERT_THAT(Take(), ElementsAre("hello@2"));
  ASSERT_TRUE(table_->Kick("red", "bob").ok());
  ASSERT_TRUE(table_->Add("red", "bob", {b_, 3, "another token"}, "").ok());
  b_->Take();
  Publish(2);
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("ann to bob: hello@2")) << "the token proves who it is";
}

TEST_F(SendLinesTest, ARoomDoesNotMoveWhileItsSendsWait) {
  Propose("one");
  EXPECT_FALSE(table_->moves().Freeze("red").has_value());
  EXPECT_TRUE(absl::IsAborted(Say("two").status()));
  table_->moves().Thaw("red");
  Propose("three");
  EXPECT_FALSE(table_->moves().Freeze("red").has_value());
  ASSERT_THAT(Take(), ElementsAre("one@1", "three@2"));
  Publish(2);
  const auto state = table_->moves().Freeze("red");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->offset, 2u);
  EXPECT_EQ(state->change, 2u);
  table_->moves().Thaw("red");
  Propose("four");
}

TEST_F(SendLinesTest, ARoomThatIsNotHereIsReadFirst) {
  EXPECT_TRUE(absl::IsAborted(table_->Add("blue", "ann", {a_, 2, "t"}, "").status()));
  EXPECT_TRUE(absl::IsAborted(table_->Send("blue", "system", kEverybody, "hi").status()));
  EXPECT_THAT(log_.TakeLoads(), ElementsAre("blue", "blue"));
  EXPECT_EQ(table_->rooms(), 1u);
  auto event = std::make_shared<Event>();
  event->room = "blue";
  event->epoch = 7;
  event->offset = 40;
  event->at_ms = now_ms_;
  event->user = "eve";
  event->target = kEverybody;
  event->content = "before";
  RoomState state = LoggedRoom("blue", 40, {event});
  state.time_ms = 6'000'000;
  state.recent_ids = {{.from = "eve", .id = "id", .sent = {.epoch = 7, .offset = 39, .at_ms = now_ms_}}};
  ASSERT_TRUE(table_->Open(state).ok());
  ASSERT_TRUE(table_->Open(LoggedRoom("blue")).ok()) << "it is here already";
  const auto added = table_->Add("blue", "ann", {a_, 2, "t"}, "", SeenPoint{.epoch = 7, .offset = 39});
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->offset, 40u);
  ASSERT_TRUE(added->missed.has_value());
  ASSERT_EQ(added->missed->size(), 1u);
  EXPECT_EQ(table_->Send("blue", "eve", kEverybody, "x", "id")->offset, 39u);
  ASSERT_TRUE(table_->Send("blue", "eve", kEverybody, "next")->pending);
  std::vector<RoomLines::Taken> taken;
  table_->lines().Take("blue", 1, 100, taken);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].event->offset, 41u);
  EXPECT_EQ(taken[0].event->time_ms, 6'000'000);
}

// Whether the one who comes back may have it is not known, so neither is whether all that was missed is here.
TEST_F(SendLinesTest, APrivateMessageFromTheLogProvesNothing) {
  auto event = std::make_shared<Event>();
  event->room = "blue";
  event->epoch = 7;
  event->offset = 1;
  event->at_ms = now_ms_;
  event->user = "eve";
  event->target = "ann";
  event->tokens_unknown = true;
  ASSERT_TRUE(table_->Open(LoggedRoom("blue", 1, {event})).ok());
  const SeenPoint seen{.epoch = 7, .offset = 0};
  EXPECT_FALSE(table_->Add("blue", "ann", {a_, 2, "t"}, "", seen)->missed.has_value());
  EXPECT_TRUE(table_->Add("blue", "bob", {b_, 2, "t"}, "", seen)->missed.has_value());
}

TEST_F(SendLinesTest, WhoWaitsIsToldWhenAllIsForgotten) {
  Propose("one");
  ASSERT_THAT(Take(), ElementsAre("one@1"));
  Propose("two");
  table_->Clear();
  EXPECT_THAT(waiter_->Take(), ElementsAre("one: UNKNOWN", "two: ABORTED"));
  Publish(1);
  EXPECT_EQ(table_->lines().budget().sends(), 0u);
}

TEST_F(SendLinesTest, ARoomIsKeptWhileItsSendsWait) {
  ASSERT_TRUE(table_->Kick("red", "ann").ok());
  ASSERT_TRUE(table_->Kick("red", "bob").ok());
  Propose("one");
  now_ms_ += 1'000'000;
  table_->Sweep(now_ms_);
  EXPECT_EQ(table_->rooms(), 1u);
  ASSERT_THAT(Take(), ElementsAre("one@1"));
  Publish(1);
  now_ms_ += 1'000'000;
  table_->Sweep(now_ms_);
  EXPECT_EQ(table_->rooms(), 0u);
}

// Many senders, one writer, and one who gives up: each send has one outcome, and order holds. For TSan.
TEST_F(SendLinesTest, ManySendersAndOneWriter) {
  constexpr int kSenders = 3;
  constexpr int kSends = 300;
  std::atomic<int> running = kSenders;
  std::vector<std::thread> senders;
  std::atomic<int> proposed = 0;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < kSends; ++i) {
        SendTicket ticket{waiter_, waiter_->Expect("x")};
        const auto sent =
            table_->Send("red", fmt::format("user{}", s), kEverybody, "x", "", {}, nullptr, &ticket);
        if (sent.ok()) ++proposed;
      }
      --running;
    });
  }
  const auto write = [&] {
    std::vector<RoomLines::Taken> taken;
    table_->lines().Take("red", 50, 10'000, taken);
    if (taken.empty()) return;
    Publish(taken.back().event->offset);
  };
  std::thread gives_up([&] {
    while (running > 0) GiveUp(0);
  });
  while (running > 0) write();
  for (std::thread& sender : senders) sender.join();
  gives_up.join();
  while (!table_->lines().Waiting().empty()) write();
  EXPECT_EQ(waiter_->Take().size(), static_cast<size_t>(proposed.load()));
  uint64_t offset = 0;
  for (const EventPtr& event : a_->Take()) ASSERT_EQ(event->offset, ++offset);
  EXPECT_EQ(offset, static_cast<uint64_t>(proposed.load()));
}

}  // namespace
}  // namespace hubbub::chat
