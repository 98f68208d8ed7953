#include "chat/log/room_loader.h"

#include <string>

#include "chat/log/testing/log_test_base.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

class RoomLoaderTest : public LogTest {
 protected:
  // `age_ms`: before now.
  void Logged(const std::string& room, int64_t offset, int64_t age_ms, const std::string& id = "",
              const std::string& target = "") {
    LoggedEvent event;
    event.room = room;
    event.offset = offset;
    event.time_ms = now_ms_ + 5'000'000 - age_ms;
    event.sender = "eve";
    event.target = target;
    event.id = id;
    event.recipients = 3;
    event.content = fmt::format("event {}", offset);
    database_.Insert(event);
  }
  // Enters until the room is read.
  absl::StatusOr<AddResult> Enter(const std::string& room, uint64_t seen) {
    absl::StatusOr<AddResult> added;
    (void)Eventually([&] {
      added = table_->Add(room, "ann", {a_, 2, "t"}, "", SeenPoint{.epoch = 7, .offset = seen});
      return !absl::IsAborted(added.status());
    });
    return added;
  }
};

TEST_F(RoomLoaderTest, ARoomGoesOnWhereItsLogEnds) {
  Logged("blue", 1, 400'000, "old");
  Logged("blue", 2, 1'000, "id");
  Logged("blue", 3, 500);
  const auto added = Enter("blue", 1);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->offset, 3u);
  EXPECT_EQ(added->epoch, 7u);
  ASSERT_TRUE(added->missed.has_value());
  ASSERT_EQ(added->missed->size(), 2u);
  EXPECT_EQ(added->missed->front()->content, "event 2");
  EXPECT_EQ(added->missed->front()->target, kEverybody);
  EXPECT_EQ(added->missed->front()->at_ms, now_ms_ - 1'000);
  const auto again = table_->Send("blue", "eve", kEverybody, "x", "id");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->offset, 2u);
  EXPECT_EQ(again->recipients, 3u);
  Send("next", "", "blue");
  EXPECT_THAT(Outcomes(1), ::testing::ElementsAre("next: 4"));
}

TEST_F(RoomLoaderTest, AClockThatWasSetHidesNothing) {
  for (const int64_t step_ms : {3'600'000, -3'600'000}) {
    const std::string room = step_ms > 0 ? "blue" : "green";
    Logged(room, 1, step_ms > 0 ? 2'000 : 1'000 - step_ms, "id");
    clock_step_ms_ = step_ms;
    const auto added = Enter(room, 0);
    ASSERT_TRUE(added.ok()) << added.status();
    EXPECT_TRUE(added->missed.has_value());
    const auto again = table_->Send(room, "eve", kEverybody, "x", "id");
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->repeated);
    clock_step_ms_ = 0;
  }
}

TEST_F(RoomLoaderTest, ARoomWhoseEventsWereDeletedKnowsWhatIsRepeated) {
  Logged("blue", 1, 1'000, "id");
  database_.Trim("blue", 1);
  const auto added = Enter("blue", 1);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->offset, 1u);
  const auto again = table_->Send("blue", "eve", kEverybody, "x", "id");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->offset, 1u);
}

TEST_F(RoomLoaderTest, ARoomWhoseEventsAreOldKeepsItsOffsets) {
  Logged("blue", 9, 400'000);
  const auto added = Enter("blue", 3);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->offset, 9u);
  EXPECT_FALSE(added->missed.has_value());
}

TEST_F(RoomLoaderTest, ARoomThatNeverHadAnEventIsNew) {
  const auto added = Enter("blue", 0);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->offset, 0u);
  EXPECT_TRUE(added->missed.has_value());
}

TEST_F(RoomLoaderTest, ManyRoomsAreReadTogether) {
  constexpr size_t kRooms = 500;
  database_.Hold();
  log_->Load("first");
  ASSERT_TRUE(Eventually([&] { return !database_.heads().empty(); }));
  for (size_t i = 0; i < kRooms; ++i) log_->Load(fmt::format("room-{}", i));
  log_->Load("room-0");
  database_.Release();
  ASSERT_TRUE(Eventually([&] { return log_->counters().rooms_read.value() == kRooms + 1; }));
  EXPECT_THAT(database_.heads(), ::testing::ElementsAre(1, kRooms));
}

TEST_F(RoomLoaderTest, ARoomOfASlotThatIsNotHeldIsNotRead) {
  ASSERT_NE(slots_.SlotOf("blue"), slots_.SlotOf("green"));
  slots_.generations[static_cast<size_t>(slots_.SlotOf("blue"))] = 0;
  log_->Load("blue");
  log_->Load("green");
  ASSERT_TRUE(Eventually([&] { return table_->Get("green").ok(); }));
  EXPECT_FALSE(table_->Get("blue").ok());
}

}  // namespace
}  // namespace hubbub::chat
