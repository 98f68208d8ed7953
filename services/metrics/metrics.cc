#include "services/metrics/metrics.h"

#include <algorithm>
#include <utility>

namespace hubbub::metrics {

using prometheus::MetricType;

prometheus::Counter& Metrics::AddCounter(const std::string& name, const std::string& help,
                                         const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                             const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
      labels, prometheus::Histogram::BucketBoundaries{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                      0.025, 0.1, 0.5, 1, 2});
}

void Metrics::AddGauge(const std::string& name, const std::string& help, std::function<double()> read,
                       Labels labels) {
  Add(name, help, MetricType::Gauge, {.labels = std::move(labels), .read = std::move(read)});
}

void Metrics::AddCounterOf(const std::string& name, const std::string& help, std::function<double()> read,
                           Labels labels) {
  Add(name, help, MetricType::Counter, {.labels = std::move(labels), .read = std::move(read)});
}

void Metrics::Add(const std::string& name, const std::string& help, MetricType type, Reading reading) {
  MutexLock lock(mu_);
  Readings& readings = readings_[name];
  readings.help = help;
  readings.type = type;
  readings.all.push_back(std::move(reading));
}

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  {
    MutexLock lock(mu_);
    for (const auto& [name, readings] : readings_) {
      prometheus::MetricFamily& family = families.emplace_back(
          prometheus::MetricFamily{.name = name, .help = readings.help, .type = readings.type, .metric = {}});
      for (const Reading& reading : readings.all) {
        prometheus::ClientMetric& metric = family.metric.emplace_back();
        for (const auto& [label, value] : reading.labels) metric.label.push_back({label, value});
        (readings.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = reading.read();
      }
    }
  }
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return families;
}

}  // namespace hubbub::metrics
