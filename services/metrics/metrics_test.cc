#include "services/metrics/metrics.h"

#include <thread>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

TEST(Metrics, CountersOfOneNameAreOneFamily) {
  Metrics metrics;
  Counter& a = metrics.AddCounter("x_total", "X", {{"of", "a"}});
  Counter& b = metrics.AddCounter("x_total", "X", {{"of", "b"}});
  a.Add();
  b.Add(41);
  const auto families = metrics.Read();
  ASSERT_EQ(families.size(), 1u);
  EXPECT_EQ(families[0].name, "x_total");
  EXPECT_EQ(families[0].kind, Metrics::Kind::kCounter);
  ASSERT_EQ(families[0].series.size(), 2u);
  EXPECT_EQ(families[0].series[0].labels.at("of"), "a");
  EXPECT_EQ(families[0].series[0].value, 1);
  EXPECT_EQ(families[0].series[1].value, 41);
}

TEST(Metrics, GaugesAreReadWhenTheyAreAskedFor) {
  Metrics metrics;
  double value = 1;
  metrics.AddGauge("x", "X", [&] { return value; });
  metrics.AddCounterOf("y_total", "Y", [&] { return 2 * value; });
  value = 7;
  EXPECT_EQ(metrics.Read()[0].series[0].value, 7);
  EXPECT_EQ(metrics.Read()[1].series[0].value, 14);
  EXPECT_EQ(metrics.Read()[1].kind, Metrics::Kind::kCounter);
}

TEST(SingleWriterNumber, RisesAndFallsWhileOthersRead) {
  SingleWriterNumber number;
  std::thread writing([&] {
    for (int i = 0; i < 1000; ++i) {
      number.Add(3);
      number.Subtract(2);
    }
  });
  while (number.value() < 1000) std::this_thread::yield();
  writing.join();
  EXPECT_EQ(number.value(), 1000u);
}

TEST(Histogram, CountsEachInItsBucketAndAllAbove) {
  Histogram histogram;
  const double values[] = {0, 0.0001, 0.00011, 0.3, 2, 2.1, 1000};
  double sum = 0;
  for (const double value : values) {
    histogram.Observe(value);
    sum += value;
  }
  const auto snapshot = histogram.Read();
  EXPECT_EQ(snapshot.count, 7u);
  EXPECT_EQ(snapshot.at_most[0], 2u) << "a bound is in its bucket";
  EXPECT_EQ(snapshot.at_most[1], 3u);
  EXPECT_EQ(snapshot.at_most[8], 3u) << "at most 0.1 s";
  EXPECT_EQ(snapshot.at_most[9], 4u) << "at most 0.5 s";
  EXPECT_EQ(snapshot.at_most.back(), 5u) << "at most 2 s";
  EXPECT_NEAR(snapshot.sum, sum, 1e-6);
}

TEST(Metrics, MayBeCountedAddedAndReadAtOnce) {
  Metrics metrics;
  Counter& counter = metrics.AddCounter("x_total", "X");
  Histogram& histogram = metrics.AddHistogram("y", "Y");
  std::thread counting([&] {
    for (int i = 0; i < 1000; ++i) {
      counter.Add();
      histogram.Observe(0.001);
    }
  });
  std::thread adding([&] {
    for (int i = 0; i < 50; ++i) metrics.AddCounter("z_total", "Z", {{"of", std::to_string(i)}});
  });
  for (int i = 0; i < 50; ++i) metrics.Read();
  counting.join();
  adding.join();
  EXPECT_EQ(counter.value(), 1000u);
  EXPECT_EQ(histogram.Read().count, 1000u);
}

}  // namespace
}  // namespace hubbub
