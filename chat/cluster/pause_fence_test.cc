#include "chat/cluster/pause_fence.h"

#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

TEST(PauseFenceTest, IsOpenWhileItTicks) {
  PauseFence fence(10'000);
  for (int64_t now_ms = 10'000; now_ms < 20'000; now_ms += PauseFence::kLongestMs) {
    EXPECT_TRUE(fence.open(now_ms));
    EXPECT_FALSE(fence.Tick(now_ms));
  }
}

TEST(PauseFenceTest, TheFirstCallAfterAStopIsKeptOutThoughNothingHasTicked) {
  PauseFence fence(10'000);
  EXPECT_FALSE(fence.open(10'001 + PauseFence::kLongestMs));
}

TEST(PauseFenceTest, StaysClosedUntilTheStoreIsAskedAfterTheStop) {
  PauseFence fence(10'000);
  EXPECT_TRUE(fence.Tick(20'000));
  EXPECT_FALSE(fence.Tick(20'050)) << "it runs again";
  EXPECT_FALSE(fence.open(20'050));
  // This answer was on its way while the process was stopped.
  fence.Open(19'999);
  EXPECT_FALSE(fence.open(20'050));
  fence.Open(20'000);
  EXPECT_TRUE(fence.open(20'050));
}

TEST(PauseFenceTest, ASecondStopClosesItAgain) {
  PauseFence fence(10'000);
  EXPECT_TRUE(fence.Tick(20'000));
  EXPECT_TRUE(fence.Tick(30'000));
  fence.Open(25'000);
  EXPECT_FALSE(fence.open(30'000));
  fence.Open(30'000);
  EXPECT_TRUE(fence.open(30'000));
}

}  // namespace
}  // namespace hubbub::chat
