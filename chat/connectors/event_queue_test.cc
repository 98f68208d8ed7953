#include "chat/connectors/event_queue.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The offset tells the events of a test apart.
EventPtr MakeEvent(uint64_t offset, size_t bytes = 0) {
  auto event = std::make_shared<Event>();
  event->offset = offset;
  event->content = std::string(bytes, 'x');
  return event;
}

std::vector<uint64_t> Offsets(const EventQueue::Batch& batch) {
  std::vector<uint64_t> offsets;
  for (const EventPtr& e : batch.events) offsets.push_back(e->offset);
  return offsets;
}

void PushAll(EventQueue& queue, uint64_t first, uint64_t last) {
  for (uint64_t i = first; i <= last; ++i) ASSERT_TRUE(queue.Push(MakeEvent(i)));
}

TEST(EventQueueTest, BatchesAreNumberedWithoutGaps) {
  EventQueue queue(
      {.max_bytes = 1 << 20, .max_events = 100, .max_batch_bytes = 1 << 20, .max_batch_events = 2});
  PushAll(queue, 1, 3);
  auto batch = queue.Take();
  EXPECT_EQ(batch.first_seq, 1u);
  EXPECT_THAT(Offsets(batch), ElementsAre(1, 2));
  PushAll(queue, 4, 4);
  batch = queue.Take();
  EXPECT_EQ(batch.first_seq, 3u);
  EXPECT_THAT(Offsets(batch), ElementsAre(3, 4));
  batch = queue.Take();
  EXPECT_EQ(batch.first_seq, 5u);
  EXPECT_THAT(Offsets(batch), IsEmpty());
  EXPECT_EQ(queue.unsent_bytes(), 0u);
}

TEST(EventQueueTest, BytesOfABatchAreBounded) {
  const size_t each = MakeEvent(1, 100)->wire_bytes();
  EventQueue queue(
      {.max_bytes = 1 << 20, .max_events = 100, .max_batch_bytes = 2 * each, .max_batch_events = 100});
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(queue.Push(MakeEvent(i, 100)));
  ASSERT_TRUE(queue.Push(MakeEvent(4, 1000)));
  EXPECT_THAT(Offsets(queue.Take()), ElementsAre(1, 2));
  EXPECT_THAT(Offsets(queue.Take()), ElementsAre(3));
  EXPECT_THAT(Offsets(queue.Take()), ElementsAre(4)) << "an event larger than a batch goes alone";
}

TEST(EventQueueTest, RewindSendsAgainWhatWasNotSeen) {
  EventQueue queue({});
  PushAll(queue, 1, 5);
  queue.Take();
  PushAll(queue, 6, 7);
  ASSERT_TRUE(queue.Rewind(4));
  EXPECT_EQ(queue.held_events(), 4u) << "what was seen is dropped";
  const auto batch = queue.Take();
  EXPECT_EQ(batch.first_seq, 4u);
  EXPECT_THAT(Offsets(batch), ElementsAre(4, 5, 6, 7));
}

TEST(EventQueueTest, RewindToTheNextOneMissesNothing) {
  EventQueue queue({});
  PushAll(queue, 1, 5);
  queue.Take();
  ASSERT_TRUE(queue.Rewind(6));
  EXPECT_EQ(queue.unsent_events(), 0u);
  PushAll(queue, 6, 6);
  EXPECT_THAT(Offsets(queue.Take()), ElementsAre(6));
}

TEST(EventQueueTest, RewindKnowsWhatItCanNotDo) {
  EventQueue queue(
      {.max_bytes = 1 << 20, .max_events = 3, .max_batch_bytes = 1 << 20, .max_batch_events = 100});
  EXPECT_TRUE(queue.Rewind(1)) << "nothing has been sent yet";
  EXPECT_FALSE(queue.Rewind(2));
  PushAll(queue, 1, 3);
  EXPECT_FALSE(queue.Rewind(2)) << "1 was never sent, so nobody can have seen it";
  queue.Take();
  PushAll(queue, 4, 4);
  EXPECT_FALSE(queue.Rewind(1)) << "1 has made room for 4";
  EXPECT_FALSE(queue.Rewind(0));
  EXPECT_FALSE(queue.Rewind(5));
  EXPECT_THAT(Offsets(queue.Take()), ElementsAre(4)) << "a refused Rewind changes nothing";
  EXPECT_TRUE(queue.Rewind(2));
}

TEST(EventQueueTest, SentEventsMakeRoom) {
  EventQueue queue(
      {.max_bytes = 1 << 20, .max_events = 3, .max_batch_bytes = 1 << 20, .max_batch_events = 100});
  for (uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(queue.Push(MakeEvent(i)));
    EXPECT_EQ(queue.Take().first_seq, i);
    EXPECT_LE(queue.held_events(), 3u);
  }
}

TEST(EventQueueTest, TooManyUnsentEventsAreRefused) {
  EventQueue queue(
      {.max_bytes = 1 << 20, .max_events = 3, .max_batch_bytes = 1 << 20, .max_batch_events = 100});
  PushAll(queue, 1, 3);
  EXPECT_FALSE(queue.Push(MakeEvent(4)));
}

TEST(EventQueueTest, TooManyUnsentBytesAreRefused) {
  const size_t each = MakeEvent(1, 100)->wire_bytes();
  EventQueue queue(
      {.max_bytes = 3 * each, .max_events = 100, .max_batch_bytes = 1 << 20, .max_batch_events = 100});
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(queue.Push(MakeEvent(i, 100)));
  EXPECT_FALSE(queue.Push(MakeEvent(4, 100)));
  EXPECT_EQ(queue.unsent_bytes(), 4 * each) << "for the error's text";
  queue.Clear();
  EXPECT_EQ(queue.held_bytes(), 0u);
  EXPECT_EQ(queue.held_events(), 0u);
}

TEST(EventQueueTest, BytesAreCountedThroughEverything) {
  EventQueue queue({.max_bytes = 2000, .max_events = 10, .max_batch_bytes = 500, .max_batch_events = 3});
  const size_t each = MakeEvent(1, 50)->wire_bytes();
  for (uint64_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(queue.Push(MakeEvent(i, 50)));
    if (i % 2 == 0) queue.Take();
    if (i % 50 == 0) {
      ASSERT_TRUE(queue.Rewind(i - 2));
    }
    ASSERT_EQ(queue.held_bytes(), each * queue.held_events());
    ASSERT_EQ(queue.unsent_bytes(), each * queue.unsent_events());
    ASSERT_LE(queue.held_bytes(), 2000u);
  }
}

}  // namespace
}  // namespace hubbub::chat
