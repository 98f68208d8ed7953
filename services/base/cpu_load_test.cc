#include "services/base/cpu_load.h"

#include "gtest/gtest.h"

namespace hubbub {
namespace {

using Seconds = CpuLoad::Seconds;

CpuLoad::Time At(int milliseconds) {
  return CpuLoad::Time(std::chrono::milliseconds(milliseconds));
}

TEST(CpuLoad, IsTheTimeUsedOfTheTimeThatPassed) {
  CpuLoad load(At(0), Seconds(10));
  EXPECT_EQ(load.Update(At(1'999), Seconds(12)), 0) << "no window is over yet";
  EXPECT_DOUBLE_EQ(load.Update(At(2'000), Seconds(11)), 0.5);
  EXPECT_DOUBLE_EQ(load.Update(At(3'000), Seconds(20)), 0.5) << "the last whole window counts";
  EXPECT_DOUBLE_EQ(load.Update(At(6'000), Seconds(19)), 2) << "two processors";
  EXPECT_DOUBLE_EQ(load.Update(At(8'000), Seconds(19)), 0);
}

TEST(CpuLoad, TimeOfTheProcessGrowsWithWork) {
  const Seconds before = CpuLoad::Used();
  while (CpuLoad::Used() == before) {
  }
  EXPECT_GT(CpuLoad::Used(), before);
}

}  // namespace
}  // namespace hubbub
