#include "services/base/clock.h"

#include <cstdint>
#include <fstream>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

// What the kernel says, which counts suspends. In hundredths of a second.
int64_t UptimeMs() {
  double seconds = 0;
  std::ifstream("/proc/uptime") >> seconds;
  return static_cast<int64_t>(seconds * 1000);
}

TEST(Clock, TheSteadyOneCountsFromTheMachinesStartWithItsSuspends) {
  const int64_t before = UptimeMs();
  const int64_t now = SteadyNowMs();
  const int64_t after = UptimeMs();
  EXPECT_GE(now, before - 10);
  EXPECT_LE(now, after + 20);
}

TEST(Clock, TheSystemsIsThatOfTheCalendar) {
  EXPECT_GT(SystemNowMs(), int64_t{1'600'000'000'000});
}

}  // namespace
}  // namespace hubbub
