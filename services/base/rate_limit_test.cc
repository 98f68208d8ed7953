#include "services/base/rate_limit.h"

#include "gtest/gtest.h"

namespace hubbub {
namespace {

using std::chrono::milliseconds;

// How many of `tries` pass at once.
int Passed(RateLimit& limit, RateLimit::Clock::time_point now, int tries) {
  int passed = 0;
  for (int i = 0; i < tries; ++i) passed += limit.Take(now) ? 1 : 0;
  return passed;
}

TEST(RateLimit, LetsBurstsPassAndRefillsByTime) {
  const RateLimit::Clock::time_point start{};
  RateLimit limit(10, start);
  const struct {
    milliseconds at;
    int tries, passed;
  } steps[] = {
      {milliseconds(0), 100, 20},     // A burst.
      {milliseconds(0), 1, 0},        // What is refused does not count.
      {milliseconds(100), 5, 1},      // A tenth of a second is one.
      {milliseconds(150), 5, 0},      // Half of one is none,
      {milliseconds(200), 5, 1},      // but is kept.
      {milliseconds(1'200), 50, 10},  // A second is ten.
      {milliseconds(60'000), 50, 20}  // However long it was quiet.
  };
  for (const auto& step : steps)
    EXPECT_EQ(Passed(limit, start + step.at, step.tries), step.passed) << step.at.count() << " ms";
}

}  // namespace
}  // namespace hubbub
