#include "services/metrics/metrics.h"

#include <algorithm>

namespace hubbub {

void Histogram::Observe(double seconds) {
  const auto* bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  buckets_[static_cast<size_t>(bound - kBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(static_cast<uint64_t>(std::max(0.0, seconds) * 1e9), std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::Read() const {
  Snapshot snapshot;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    snapshot.count += buckets_[i].load(std::memory_order_relaxed);
    if (i < kBounds.size()) snapshot.at_most[i] = snapshot.count;
  }
  snapshot.sum = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
  return snapshot;
}

void Metrics::Add(const std::string& name, const std::string& help, Kind kind, Entry entry) {
  MutexLock lock(mu_);
  Entries& family = families_[name];
  family.help = help;
  family.kind = kind;
  family.entries.push_back(std::move(entry));
}

Counter& Metrics::AddCounter(const std::string& name, const std::string& help, Labels labels) {
  Counter* counter = nullptr;
  {
    MutexLock lock(mu_);
    counter = &counters_.emplace_back();
  }
  Add(name, help, Kind::kCounter,
      {.labels = std::move(labels), .read = [counter] { return static_cast<double>(counter->value()); }});
  return *counter;
}

Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help, Labels labels) {
  Histogram* histogram = nullptr;
  {
    MutexLock lock(mu_);
    histogram = &histograms_.emplace_back();
  }
  Add(name, help, Kind::kHistogram, {.labels = std::move(labels), .read = nullptr, .histogram = histogram});
  return *histogram;
}

void Metrics::AddGauge(const std::string& name, const std::string& help, std::function<double()> read,
                       Labels labels) {
  Add(name, help, Kind::kGauge, {.labels = std::move(labels), .read = std::move(read)});
}

void Metrics::AddCounterOf(const std::string& name, const std::string& help, std::function<double()> read,
                           Labels labels) {
  Add(name, help, Kind::kCounter, {.labels = std::move(labels), .read = std::move(read)});
}

std::vector<Metrics::Family> Metrics::Read() const {
  MutexLock lock(mu_);
  std::vector<Family> all;
  all.reserve(families_.size());
  for (const auto& [name, entries] : families_) {
    Family& family =
        all.emplace_back(Family{.name = name, .help = entries.help, .kind = entries.kind, .series = {}});
    for (const Entry& entry : entries.entries) {
      Series& series =
          family.series.emplace_back(Series{.labels = entry.labels, .value = 0, .histogram = {}});
      if (entry.histogram != nullptr) {
        series.histogram = entry.histogram->Read();
      } else {
        series.value = entry.read();
      }
    }
  }
  return all;
}

}  // namespace hubbub
