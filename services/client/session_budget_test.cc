#include "services/client/session_budget.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::client {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SessionBudget::Clock::time_point kStart{};

TEST(SessionBudget, BoundsPackagesAndBytesEachByItself) {
  SessionBudget budget(/*packages_per_second=*/2, /*bytes_per_second=*/1'000, kStart);
  EXPECT_THAT(budget.Take(2'000, kStart), IsEmpty()) << "a burst of bytes";
  EXPECT_THAT(budget.Take(1, kStart), HasSubstr("more than 1000 bytes a second"));
  EXPECT_THAT(budget.Take(1'000, kStart + seconds(1)), IsEmpty());
  for (int i = 0; i < 3; ++i) (void)budget.Take(0, kStart + seconds(1));
  EXPECT_THAT(budget.Take(0, kStart + seconds(1)), HasSubstr("more than 2 requests a second"));
}

TEST(SessionBudget, TellsAFloodOfPackages) {
  SessionBudget budget(/*packages_per_second=*/150, /*bytes_per_second=*/1'000, kStart);
  for (int i = 0; i < 300 + 150; ++i) (void)budget.Take(1, kStart);
  EXPECT_FALSE(budget.Flooded());
  (void)budget.Take(1, kStart);
  EXPECT_TRUE(budget.Flooded());
}

TEST(SessionBudget, AFewRefusalsAreNoFloodHoweverLowTheLimit) {
  SessionBudget budget(/*packages_per_second=*/1, /*bytes_per_second=*/1'000, kStart);
  for (int i = 0; i < 2 + 100; ++i) (void)budget.Take(1, kStart);
  EXPECT_FALSE(budget.Flooded());
  (void)budget.Take(1, kStart);
  EXPECT_TRUE(budget.Flooded());
}

TEST(SessionBudget, RefusalsNowAndThenAreNoFlood) {
  SessionBudget budget(/*packages_per_second=*/150, /*bytes_per_second=*/1'000, kStart);
  for (int second = 0; second < 20; ++second) {
    for (int i = 0; i < 300; ++i) (void)budget.Take(1, kStart + seconds(second));
    EXPECT_FALSE(budget.Flooded()) << second;
  }
}

TEST(SessionBudget, TellsAFloodOfBytes) {
  SessionBudget budget(/*packages_per_second=*/1'000, /*bytes_per_second=*/1'000, kStart);
  for (int i = 0; i < 2 + 4; ++i) (void)budget.Take(1'000, kStart);
  EXPECT_FALSE(budget.Flooded());
  (void)budget.Take(1'000, kStart);
  EXPECT_TRUE(budget.Flooded());
}

TEST(SessionBudget, WhatABodyHoldsCountsAsIfItHadCome) {
  SessionBudget budget(/*packages_per_second=*/1'000, /*bytes_per_second=*/1'000, kStart);
  EXPECT_THAT(budget.Take(500, kStart), IsEmpty());
  EXPECT_EQ(budget.SpareBytes(kStart), 1'500u);
  budget.TakeSpare(1'400, kStart);
  EXPECT_EQ(budget.SpareBytes(kStart), 100u);
  EXPECT_THAT(budget.Take(101, kStart), HasSubstr("more than 1000 bytes a second"));
  EXPECT_EQ(budget.SpareBytes(kStart + seconds(1)), 1'100u);
  EXPECT_FALSE(budget.Flooded());
  for (int i = 0; i < 4; ++i)
    EXPECT_THAT(budget.RefuseSpare(1'000, kStart), HasSubstr("more than 1000 bytes a second"));
  EXPECT_TRUE(budget.Flooded());
}

}  // namespace
}  // namespace hubbub::client
