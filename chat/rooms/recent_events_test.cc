#include "chat/rooms/recent_events.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

EventPtr MakeEvent(uint64_t offset, int64_t at_ms = 0, size_t bytes = 1) {
  auto event = std::make_shared<Event>();
  event->offset = offset;
  event->at_ms = at_ms;
  event->content = std::string(bytes, 'x');
  return event;
}

std::vector<uint64_t> Offsets(const std::vector<EventPtr>& events) {
  std::vector<uint64_t> offsets;
  offsets.reserve(events.size());
  for (const EventPtr& e : events) offsets.push_back(e->offset);
  return offsets;
}

TEST(RecentEventsTest, SinceGivesAllThatFollow) {
  const RecentEvents::Limits limits;
  RecentEvents recent(limits);
  for (uint64_t i = 1; i <= 4; ++i) recent.Append(MakeEvent(i));
  EXPECT_THAT(Offsets(*recent.Since(0)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Offsets(*recent.Since(3)), ElementsAre(4));
  EXPECT_THAT(*recent.Since(4), IsEmpty());
  EXPECT_FALSE(recent.Since(5)) << "no such offset yet";
}

TEST(RecentEventsTest, NothingHasHappenedYet) {
  const RecentEvents::Limits limits;
  const RecentEvents recent(limits);
  EXPECT_THAT(*recent.Since(0), IsEmpty());
  EXPECT_FALSE(recent.Since(1));
}

TEST(RecentEventsTest, NumberIsBounded) {
  const RecentEvents::Limits limits{.max_events = 3, .max_bytes = 1 << 20, .max_age_ms = 1000};
  RecentEvents recent(limits);
  for (uint64_t i = 1; i <= 100; ++i) {
    recent.Append(MakeEvent(i));
    ASSERT_LE(recent.size(), 3u);
  }
  EXPECT_FALSE(recent.Since(96));
  EXPECT_THAT(Offsets(*recent.Since(97)), ElementsAre(98, 99, 100));
}

TEST(RecentEventsTest, BytesAreBoundedAndCounted) {
  const RecentEvents::Limits limits{
      .max_events = 100, .max_bytes = 3 * MakeEvent(1, 0, 500)->memory_bytes(), .max_age_ms = 1000};
  RecentEvents recent(limits);
  for (uint64_t i = 1; i <= 10; ++i) recent.Append(MakeEvent(i, 0, 500));
  EXPECT_EQ(recent.size(), 3u);
  EXPECT_EQ(recent.bytes(), limits.max_bytes);
  recent.ShrinkTo(0);
  EXPECT_EQ(recent.bytes(), 0u);
}

TEST(RecentEventsTest, AgeIsBounded) {
  const RecentEvents::Limits limits{.max_events = 100, .max_bytes = 1 << 20, .max_age_ms = 1000};
  RecentEvents recent(limits);
  recent.Append(MakeEvent(1, 5000));
  recent.Append(MakeEvent(2, 5500));
  recent.Append(MakeEvent(3, 6000));
  EXPECT_EQ(recent.size(), 3u) << "exactly max_age_ms is not too old";
  recent.Append(MakeEvent(4, 6001));
  EXPECT_THAT(Offsets(*recent.Since(1)), ElementsAre(2, 3, 4));
  EXPECT_FALSE(recent.Since(0));
  recent.Expire(100000);
  EXPECT_TRUE(recent.empty());
  EXPECT_THAT(*recent.Since(4), IsEmpty()) << "who has seen everything has missed nothing";
  EXPECT_FALSE(recent.Since(3));
}

TEST(RecentEventsTest, WhatShrinksKeepsTheNewest) {
  const RecentEvents::Limits limits;
  RecentEvents recent(limits);
  for (uint64_t i = 1; i <= 50; ++i) recent.Append(MakeEvent(i));
  recent.ShrinkTo(2 * MakeEvent(1)->memory_bytes());
  EXPECT_THAT(Offsets(*recent.Since(48)), ElementsAre(49, 50));
  recent.Append(MakeEvent(51));
  EXPECT_THAT(Offsets(*recent.Since(48)), ElementsAre(49, 50, 51));
}

}  // namespace
}  // namespace hubbub::chat
