#include "services/metrics/metrics.h"

#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/metrics/counter.h"

namespace hubbub::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

std::string Text(const Metrics& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.Collect());
}

TEST(Metrics, CountersOfOneNameAreOneFamily) {
  Metrics metrics;
  prometheus::Counter& a = metrics.AddCounter("x_total", "X", {{"of", "a"}});
  prometheus::Counter& b = metrics.AddCounter("x_total", "X", {{"of", "b"}});
  a.Increment();
  b.Increment(41);
  const auto families = metrics.Collect();
  ASSERT_EQ(families.size(), 1u);
  EXPECT_EQ(families[0].name, "x_total");
  EXPECT_EQ(families[0].help, "X");
  EXPECT_EQ(families[0].type, prometheus::MetricType::Counter);
  EXPECT_THAT(Text(metrics), HasSubstr("x_total{of=\"a\"} 1\n"));
  EXPECT_THAT(Text(metrics), HasSubstr("x_total{of=\"b\"} 41\n"));
}

TEST(Metrics, GaugesAreReadWhenTheyAreAskedFor) {
  Metrics metrics;
  double value = 1;
  metrics.AddGauge("x", "What X is", [&] { return value; }, {{"of", "a"}});
  metrics.AddGauge("x", "What X is", [&] { return -value; }, {{"of", "b"}, {"is", "c"}});
  metrics.AddCounterOf("y_total", "What Y is", [&] { return 2 * value; });
  value = 7;
  EXPECT_EQ(Text(metrics),
            "# HELP x What X is\n# TYPE x gauge\nx{of=\"a\"} 7\nx{is=\"c\",of=\"b\"} -7\n"
            "# HELP y_total What Y is\n# TYPE y_total counter\ny_total 14\n");
}

TEST(Metrics, AreSortedByName) {
  Metrics metrics;
  metrics.AddGauge("c", "C", [] { return 1; });
  metrics.AddHistogram("b", "B");
  metrics.AddCounterOf("a_total", "A", [] { return 1; });
  metrics.AddCounter("d_total", "D");
  EXPECT_THAT(metrics.Collect(), ElementsAre(Field(&prometheus::MetricFamily::name, "a_total"),
                                             Field(&prometheus::MetricFamily::name, "b"),
                                             Field(&prometheus::MetricFamily::name, "c"),
                                             Field(&prometheus::MetricFamily::name, "d_total")));
}

TEST(Metrics, AHistogramCountsEachInItsBucketAndAllAbove) {
  Metrics metrics;
  prometheus::Histogram& histogram = metrics.AddHistogram("x", "X", {{"of", "a"}});
  for (const double value : {0.0, 0.0001, 0.00011, 0.3, 2.0, 2.1, 1000.0}) histogram.Observe(value);
  const std::string text = Text(metrics);
  for (const char* line : {
           "x_bucket{of=\"a\",le=\"0.0001\"} 2\n",  // A bound is in its bucket.
           "x_bucket{of=\"a\",le=\"0.00025\"} 3\n",
           "x_bucket{of=\"a\",le=\"0.1\"} 3\n",
           "x_bucket{of=\"a\",le=\"0.5\"} 4\n",
           "x_bucket{of=\"a\",le=\"2\"} 5\n",
           "x_bucket{of=\"a\",le=\"+Inf\"} 7\n",
           "x_count{of=\"a\"} 7\n",
           "x_sum{of=\"a\"} 1004.4",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, MayBeCountedAddedAndReadAtOnce) {
  Metrics metrics;
  prometheus::Counter& counter = metrics.AddCounter("x_total", "X");
  prometheus::Histogram& histogram = metrics.AddHistogram("y", "Y");
  std::thread counting([&] {
    for (int i = 0; i < 1000; ++i) {
      counter.Increment();
      histogram.Observe(0.001);
    }
  });
  std::thread adding([&] {
    for (int i = 0; i < 50; ++i) {
      metrics.AddCounter("z_total", "Z", {{"of", std::to_string(i)}});
      metrics.AddGauge("w", "W", [] { return 1; }, {{"of", std::to_string(i)}});
    }
  });
  for (int i = 0; i < 50; ++i) metrics.Collect();
  counting.join();
  adding.join();
  EXPECT_EQ(counter.Value(), 1000);
  EXPECT_THAT(Text(metrics), HasSubstr("y_count 1000\n"));
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

}  // namespace
}  // namespace hubbub::metrics
