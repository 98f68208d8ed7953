#include "bench/schedule.h"

#include <map>
#include <utility>

#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Schedule, IsDueAtItsTimesAndNotBefore) {
  Schedule schedule(kSecond, 2 * kSecond, 4);
  EXPECT_FALSE(schedule.TakeDue(kSecond - 1));
  ASSERT_EQ(schedule.NextAt(), kSecond);
  auto send = schedule.TakeDue(kSecond);
  ASSERT_TRUE(send);
  EXPECT_EQ(send->number, 0u);
  EXPECT_EQ(send->at_ns, kSecond);
  EXPECT_FALSE(schedule.TakeDue(kSecond + kSecond / 4 - 1));
  EXPECT_TRUE(schedule.TakeDue(kSecond + kSecond / 4));
}

TEST(Schedule, GivesEveryLateSendItsOwnTime) {
  Schedule schedule(0, kSecond, 10);
  for (int i = 0; i < 10; ++i) {
    const auto send = schedule.TakeDue(5 * kSecond);  // The generator was held up for long.
    ASSERT_TRUE(send);
    EXPECT_EQ(send->at_ns, i * kSecond / 10);
  }
  EXPECT_FALSE(schedule.TakeDue(5 * kSecond));
  EXPECT_FALSE(schedule.NextAt());
}

TEST(Schedule, DoesNotDrift) {
  constexpr int64_t kDay = 86400 * kSecond;
  Schedule schedule(0, kDay, 3);
  int64_t last = 0;
  for (int i = 0; i < 3 * 3600; ++i) last = schedule.TakeDue(kDay)->at_ns;
  EXPECT_NEAR(static_cast<double>(last), (3600 - 1.0 / 3) * kSecond, 2);
}

TEST(Turn, GivesEveryRoomAndSenderTheSameShare) {
  std::map<std::pair<int, int>, int> turns;
  for (uint64_t n = 0; n < 60; ++n) {
    const Turn turn = TurnOf(n, 5, 3);
    ++turns[{turn.room, turn.sender}];
  }
  EXPECT_EQ(turns.size(), 15u);
  for (const auto& [who, count] : turns) EXPECT_EQ(count, 4);
}

}  // namespace
}  // namespace hubbub::bench
