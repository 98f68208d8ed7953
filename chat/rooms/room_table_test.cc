#include "chat/rooms/room_table.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat/testing/fake_subscriber.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RoomTableTest : public ::testing::Test {
 protected:
  RoomTable::Options Options() {
    RoomTable::Options options;
    options.now_ms = [this] { return now_ms_.load(); };
    options.new_epoch = [this] { return ++epochs_; };
    return options;
  }

  std::atomic<int64_t> now_ms_ = 1'000'000;
  std::atomic<uint64_t> epochs_ = 0;
  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  const std::shared_ptr<FakeSubscriber> b_ = std::make_shared<FakeSubscriber>(2);
};

TEST_F(RoomTableTest, RoomsAreApart) {
  RoomTable table(Options());
  ASSERT_TRUE(table.Add("red", "ann", {a_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("blue", "ann", {b_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Send("red", "ann", "*", "hi").ok());
  EXPECT_THAT(a_->TakeTexts(), ElementsAre("joined ann@1", "ann to *: hi@2"));
  EXPECT_THAT(b_->TakeTexts(), ElementsAre("joined ann@1"));
  const auto info = table.Get("blue");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->offset, 1u);
  ASSERT_EQ(info->members.size(), 1u);
  EXPECT_EQ(info->members[0].connector, "connector-2");
}

TEST_F(RoomTableTest, SweepCountsTheMembers) {
  RoomTable table(Options());
  ASSERT_TRUE(table.Add("red", "ann", {a_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("red", "bob", {b_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("blue", "ann", {a_, 2, ""}, "").ok());
  table.Sweep(now_ms_);
  EXPECT_EQ(table.members(), 3u);
  ASSERT_TRUE(table.Kick("red", "ann").ok());
  table.Sweep(now_ms_);
  EXPECT_EQ(table.members(), 2u);
}

TEST_F(RoomTableTest, WhatIsNotThere) {
  RoomTable table(Options());
  for (const absl::Status& status : {table.Get("red").status(), table.Kick("red", "ann").status(),
                                     table.Send("red", "ann", "bob", "hi").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(status.message(), "room \"red\" does not exist: nobody is there");
  }
  EXPECT_EQ(*table.KickPlace("red", "ann", {1, 1}), 0u);
  EXPECT_EQ(table.rooms(), 0u) << "asking makes no room";
}

TEST_F(RoomTableTest, NobodyIsAddedForAnEndedLease) {
  RoomTable table(Options());
  a_->End();
  const auto added = table.Add("red", "ann", {a_, 1, ""}, "");
  EXPECT_EQ(added.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(added.status().message(), "lease 1 of connector \"connector-1\" has ended: subscribe again");
  EXPECT_EQ(table.rooms(), 0u);
}

TEST_F(RoomTableTest, DropSubscriberEmptiesItsPlacesInEveryRoom) {
  RoomTable table(Options());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(table.Add(fmt::format("room{}", i), "ann", {a_, 1, ""}, "").ok());
    ASSERT_TRUE(table.Add(fmt::format("room{}", i), "bob", {b_, 1, ""}, "").ok());
  }
  b_->Take();
  EXPECT_EQ(table.DropSubscriber(1, 150), 150u);
  EXPECT_EQ(table.DropSubscriber(1, 150), 50u);
  EXPECT_EQ(table.DropSubscriber(1, 150), 0u);
  EXPECT_EQ(b_->Take().size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(table.Get(fmt::format("room{}", i))->members.size(), 1u);
}

TEST_F(RoomTableTest, RoomsAreBounded) {
  auto options = Options();
  options.max_rooms = 2;
  RoomTable table(options);
  ASSERT_TRUE(table.Send("red", "system", "*", "hi").ok());
  ASSERT_TRUE(table.Add("blue", "ann", {a_, 1, ""}, "").ok());
  for (const absl::Status& status : {table.Send("green", "system", "*", "hi").status(),
                                     table.Add("green", "ann", {a_, 1, ""}, "").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("room \"green\" cannot be made"));
  }
  EXPECT_TRUE(table.Send("red", "system", "*", "hi").ok()) << "rooms that are there go on";
}

TEST_F(RoomTableTest, CountsPlacesAndEvents) {
  RoomTable::Options options = Options();
  options.duplicate_user = DuplicateUser::kAllow;
  RoomTable table(options);
  ASSERT_TRUE(table.Add("red", "ann", {a_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("red", "ann", {b_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("blue", "bob", {b_, 2, ""}, "").ok());
  EXPECT_EQ(table.counts().places, 3u);
  EXPECT_EQ(table.counts().presence, 2u) << "ann has come once";
  ASSERT_TRUE(table.Send("red", "ann", "*", "hi", "1").ok());
  ASSERT_TRUE(table.Send("red", "ann", "*", "hi", "1").ok());
  ASSERT_TRUE(table.Send("red", "ann", "ann", "hi").ok());
  ASSERT_FALSE(table.Send("red", "ann", "bob", "hi").ok());
  EXPECT_EQ(table.counts().messages, 2u) << "what is repeated or refused is none";
  ASSERT_TRUE(table.KickPlace("red", "ann", {1, 1}).ok());
  EXPECT_EQ(table.counts().places, 2u);
  b_->End();
  table.DropSubscriber(2, 100);
  EXPECT_EQ(table.counts().places, 0u);
  EXPECT_EQ(table.counts().presence, 4u);
  EXPECT_EQ(table.counts().messages, 2u);
}

TEST_F(RoomTableTest, SweepForgetsARoomWithoutMembersWhenItsEventsAreTooOld) {
  RoomTable table(Options());
  ASSERT_TRUE(table.Add("red", "ann", {a_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Add("blue", "ann", {a_, 1, ""}, "").ok());
  ASSERT_TRUE(table.Send("blue", "ann", "*", "a word").ok());
  ASSERT_TRUE(table.Kick("blue", "ann").ok());
  const uint64_t epoch = table.Get("blue")->epoch;
  EXPECT_GT(table.recent_bytes(), 0u);

  table.Sweep(now_ms_);
  EXPECT_EQ(table.rooms(), 2u);
  EXPECT_EQ(table.Get("blue")->epoch, epoch);

  now_ms_ += RecentEvents::Limits{}.max_age_ms + 1;
  table.Sweep(now_ms_);
  EXPECT_EQ(table.rooms(), 1u);
  EXPECT_EQ(table.recent_bytes(), 0u);
  EXPECT_TRUE(table.Get("red").ok()) << "its member keeps it";

  ASSERT_TRUE(table.Add("blue", "ann", {a_, 1, ""}, "").ok());
  EXPECT_NE(table.Get("blue")->epoch, epoch);
  EXPECT_EQ(table.Get("blue")->offset, 1u);
}

TEST_F(RoomTableTest, WhoEntersAndLeavesLeavesNothingBehind) {
  RoomTable table(Options());
  for (int i = 0; i < 1000; ++i) {
    const std::string room = fmt::format("room{}", i);
    ASSERT_TRUE(table.Add(room, "ann", {a_, 1, ""}, "").ok());
    table.KickPlace(room, "ann", {1, 1}).IgnoreError();
  }
  table.Sweep(now_ms_);
  EXPECT_EQ(table.rooms(), 0u);
  EXPECT_EQ(table.recent_bytes(), 0u);
}

TEST_F(RoomTableTest, RecentBytesOfTheServerAreBounded) {
  auto options = Options();
  options.max_recent_bytes = 200'000;
  RoomTable table(options);
  const std::string content(1000, 'x');
  const size_t rooms = 8;
  for (int i = 0; i < 200; ++i) {
    for (size_t r = 0; r < rooms; ++r)
      ASSERT_TRUE(table.Send(fmt::format("room{}", r), "ann", "*", content, fmt::format("id{}", i)).ok());
  }
  // A room is looked at when something is said there: until then it may be a message over its share.
  EXPECT_LE(table.recent_bytes(), options.max_recent_bytes + rooms * 2 * content.size());
  EXPECT_GT(table.recent_bytes(), options.max_recent_bytes / 4);
  now_ms_ += RecentEvents::Limits{}.max_age_ms + 1;
  table.Sweep(now_ms_);
  EXPECT_EQ(table.recent_bytes(), 0u);
}

TEST_F(RoomTableTest, WhoFillsRoomsTakesNothingFromTheOthers) {
  auto options = Options();
  options.max_recent_bytes = 4'000'000;
  RoomTable table(options);
  ASSERT_TRUE(table.Add("honest", "bob", {a_, 1, "t"}, "").ok());
  const uint64_t epoch = table.Get("honest")->epoch;
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(table.Send("honest", "bob", "*", "a word", fmt::format("id{}", i)).ok());
  const std::string content(32'000, 'x');
  for (int room = 0; room < 40; ++room) {
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(table.Send(fmt::format("full{}", room), "eve", "*", content, fmt::format("id{}", i)).ok());
    }
    if (room % 10 == 0) table.Sweep(now_ms_);
  }
  table.Sweep(now_ms_);
  EXPECT_LE(table.recent_bytes(), options.max_recent_bytes);
  const auto back = table.Add("honest", "bob", {a_, 2, "t"}, "t", SeenPoint{.epoch = epoch, .offset = 1});
  ASSERT_TRUE(back.ok() && back->missed.has_value()) << "what was kept for bob is there";
  EXPECT_EQ(back->missed->size(), 20u);
  EXPECT_TRUE(table.Send("honest", "bob", "*", "a word", "id0")->repeated);
}

TEST_F(RoomTableTest, ListGoesThroughAllRoomsByName) {
  RoomTable table(Options());
  std::vector<std::string> names;
  for (int i = 100; i < 125; ++i) names.push_back(fmt::format("room{}", i));
  for (auto it = names.rbegin(); it != names.rend(); ++it)
    ASSERT_TRUE(table.Add(*it, "ann", {a_, 1, ""}, "").ok());
  std::vector<std::string> seen;
  bool more = true;
  int pages = 0;
  while (more && pages < 10) {
    const RoomPage page = table.List(10, seen.empty() ? "" : seen.back());
    for (const RoomSummary& r : page.rooms) {
      seen.push_back(r.room);
      EXPECT_EQ(r.members, 1u);
      EXPECT_EQ(r.offset, 1u);
    }
    more = page.more;
    ++pages;
  }
  EXPECT_EQ(seen, names);
  EXPECT_EQ(pages, 3);
  EXPECT_FALSE(table.List(25, "").more) << "a page that holds all has none after it";
  EXPECT_THAT(table.List(10, "room124").rooms, IsEmpty());
}

// The whole design rests on this: all members see the room's messages in the same order, without a gap.
TEST_F(RoomTableTest, ManyThreadsOneOrder) {
  constexpr int kThreads = 4;
  constexpr int kRooms = 3;
  constexpr int kMessages = 500;
  RoomTable table(Options());
  for (int r = 0; r < kRooms; ++r) {
    ASSERT_TRUE(table.Add(fmt::format("room{}", r), "ann", {a_, 1, ""}, "").ok());
    ASSERT_TRUE(table.Add(fmt::format("room{}", r), "bob", {b_, 1, ""}, "").ok());
  }
  a_->Take();
  b_->Take();
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kMessages; ++i) {
        const std::string room = fmt::format("room{}", i % kRooms);
        EXPECT_TRUE(table.Send(room, fmt::format("thread{}", t), "*", std::to_string(i)).ok());
      }
    });
  }
  std::thread sweeper([&] {
    while (!done) {
      table.Sweep(now_ms_);
      table.List(10, "");
    }
  });
  for (std::thread& t : threads) t.join();
  done = true;
  sweeper.join();

  const std::vector<EventPtr> at_a = a_->Take();
  const std::vector<EventPtr> at_b = b_->Take();
  EXPECT_EQ(at_a.size(), static_cast<size_t>(kThreads * kMessages));
  for (int r = 0; r < kRooms; ++r) {
    const std::string room = fmt::format("room{}", r);
    const auto of_room = [&room](const std::vector<EventPtr>& events) {
      std::vector<EventPtr> mine;
      for (const EventPtr& e : events) {
        if (e->room == room) mine.push_back(e);
      }
      return mine;
    };
    const std::vector<EventPtr> mine = of_room(at_a);
    EXPECT_EQ(mine, of_room(at_b)) << "the very same events in the same order";
    uint64_t offset = 2;
    for (const EventPtr& e : mine) ASSERT_EQ(e->offset, ++offset);
  }
}

TEST_F(RoomTableTest, ComingAndGoingFromManyThreadsLeavesNothingBehind) {
  RoomTable table(Options());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto subscriber = std::make_shared<FakeSubscriber>(10 + t);
      for (uint64_t i = 0; i < 300; ++i) {
        const std::string room = fmt::format("room{}", i % 7);
        EXPECT_TRUE(table.Add(room, fmt::format("user{}-{}", t, i), {subscriber, i, ""}, "").ok());
        if (i % 3 == 0) {
          EXPECT_GT(*table.KickPlace(room, fmt::format("user{}-{}", t, i), {10 + t, i}), 0u);
        }
      }
      subscriber->End();
      EXPECT_EQ(table.DropSubscriber(10 + t, 1000), 200u);
    });
  }
  for (std::thread& t : threads) t.join();
  table.Sweep(now_ms_ + RecentEvents::Limits{}.max_age_ms + 1);
  EXPECT_EQ(table.rooms(), 0u);
  EXPECT_EQ(table.recent_bytes(), 0u);
}

}  // namespace
}  // namespace hubbub::chat
