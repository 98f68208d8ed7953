#include "services/base/flood_limit.h"

#include "gtest/gtest.h"

namespace hubbub {
namespace {

using std::chrono::milliseconds;

TEST(FloodLimit, ManyRefusalsWithinASecondAreAFlood) {
  const FloodLimit::Clock::time_point start{};
  FloodLimit limit(/*per_second=*/10, /*most_refused=*/5, start);
  const struct {
    const char* what;
    milliseconds at;
    int tries, passed;
    bool flooded;
  } steps[] = {
      {"a burst, and as many refusals as may be", milliseconds(0), 25, 20, false},
      {"one more within the second", milliseconds(99), 1, 0, true},
      {"what passes does not end the flood", milliseconds(250), 1, 1, true},
      {"each second begins anew", milliseconds(1'050), 9 + 5, 9, false},
      {"and lasts from its first refusal", milliseconds(2'030), 10 + 1, 10, true},
      {"whatever was refused before", milliseconds(5'000), 20 + 5, 20, false},
  };
  for (const auto& step : steps) {
    SCOPED_TRACE(step.what);
    int passed = 0;
    for (int i = 0; i < step.tries; ++i) {
      if (limit.Take(start + step.at)) {
        ++passed;
      } else {
        limit.Refuse(start + step.at);
      }
    }
    EXPECT_EQ(passed, step.passed);
    EXPECT_EQ(limit.flooded(), step.flooded);
  }
}

TEST(FloodLimit, CountsAmountsAndWhatAnotherLimitHasRefused) {
  const FloodLimit::Clock::time_point now{};
  FloodLimit bytes(/*per_second=*/100, /*most_refused=*/400, now);
  EXPECT_TRUE(bytes.Take(now, 200));
  EXPECT_FALSE(bytes.Take(now, 1));
  bytes.Refuse(now, 400);
  EXPECT_FALSE(bytes.flooded());
  bytes.Refuse(now, 1);
  EXPECT_TRUE(bytes.flooded());
}

}  // namespace
}  // namespace hubbub
