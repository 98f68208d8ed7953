#include "bench/histogram.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

TEST(Histogram, HasNoQuantilesBeforeTheFirstValue) {
  Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
  EXPECT_EQ(histogram.Mean(), 0);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 100; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.Quantile(0.5), 50u);
  EXPECT_EQ(histogram.Quantile(0.99), 99u);
  EXPECT_EQ(histogram.Quantile(1), 100u);
  EXPECT_EQ(histogram.max(), 100u);
  EXPECT_DOUBLE_EQ(histogram.Mean(), 50.5);
}

TEST(Histogram, IsRightWithinAHundredthAtEverySize) {
  for (uint64_t value = 1; value < uint64_t{1} << 62; value = value * 3 + 1) {
    Histogram histogram;
    histogram.Record(value);
    histogram.Record(UINT64_MAX);
    const double found = static_cast<double>(histogram.Quantile(0.5));
    EXPECT_GE(found, static_cast<double>(value));
    EXPECT_LE(found, static_cast<double>(value) * 1.008);
  }
}

TEST(Histogram, TakesTheLargestValueThereIs) {
  Histogram histogram;
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.Quantile(1), UINT64_MAX);
}

TEST(Histogram, AddsAnother) {
  Histogram one, other;
  one.Record(1);
  other.Record(1000);
  one.Add(other);
  EXPECT_EQ(one.count(), 2u);
  EXPECT_EQ(one.Quantile(0.5), 1u);
  EXPECT_EQ(one.Quantile(1), 1000u);
}

}  // namespace
}  // namespace hubbub::bench
