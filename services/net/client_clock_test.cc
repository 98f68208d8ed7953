#include "services/net/client_clock.h"

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Clock::time_point kStart{hours(1)};

TEST(ClientClockTest, GoesAsClockDoesWhileTicksComeInTime) {
  ClientClock clock(seconds(1));
  EXPECT_EQ(clock.At(kStart), kStart);
  for (int i = 0; i < 10; ++i) {
    const auto now = kStart + i * milliseconds(1400);
    clock.Tick(now);
    EXPECT_EQ(clock.At(now), now);
    EXPECT_EQ(clock.At(now + milliseconds(900)), now + milliseconds(900));
  }
}

TEST(ClientClockTest, StandsStillWhileATickIsLate) {
  ClientClock clock(seconds(1));
  clock.Tick(kStart);
  const auto last = kStart + milliseconds(1500);
  // Before the late tick, when clients are heard already, as well as at it.
  EXPECT_EQ(clock.At(kStart + hours(8)), last);
  clock.Tick(kStart + hours(8));
  EXPECT_EQ(clock.At(kStart + hours(8)), last);
  EXPECT_EQ(clock.At(kStart + hours(8) + seconds(1)), last + seconds(1));
  // Once more, on top.
  clock.Tick(kStart + hours(8) + seconds(1));
  EXPECT_EQ(clock.At(kStart + hours(9)), last + seconds(1) + milliseconds(1500));
}

TEST(ClientClockTest, NeverGoesBack) {
  ClientClock clock(seconds(1));
  auto now = kStart;
  auto shown = clock.At(now);
  for (int i = 0; i < 100; ++i) {
    now += milliseconds(i * 137 % 4000);
    EXPECT_LE(shown, clock.At(now));
    shown = clock.At(now);
    clock.Tick(now);
    EXPECT_EQ(shown, clock.At(now)) << "a tick itself takes no time";
  }
}

}  // namespace
}  // namespace hubbub::net
