#include "services/base/retry_pause.h"

#include <set>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

TEST(RetryPause, IsShortAtFirstAndThenGrowsToASecond) {
  const int longest[] = {50, 50, 50, 50, 50, 50, 100, 200, 400, 800, 1000, 1000, 1000};
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    for (int tries = 0; tries < 13; ++tries) {
      const auto pause = RetryPause(tries, seed).count();
      EXPECT_GE(pause, longest[tries] / 2) << tries;
      EXPECT_LE(pause, longest[tries]) << tries;
    }
    EXPECT_LE(RetryPause(1'000'000, seed).count(), 1000);
  }
}

TEST(RetryPause, DiffersBetweenThoseWhoWait) {
  for (const int tries : {0, 8, 100}) {
    std::set<int64_t> pauses;
    for (uint64_t seed = 1; seed <= 200; ++seed) pauses.insert(RetryPause(tries, seed).count());
    EXPECT_GE(pauses.size(), 20u) << tries;
  }
}

}  // namespace
}  // namespace hubbub
