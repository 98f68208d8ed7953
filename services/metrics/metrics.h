#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/metrics/counter.h"
#include "services/mutex.h"

namespace hubbub {

// How long things took, in seconds. Thread-safe, and cheap enough for every call.
class Histogram {
 public:
  // Upper bounds; what is above the last counts in the sum and in the total alone.
  static constexpr std::array<double, 12> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                     0.01,   0.025,   0.1,    0.5,   1,      2};

  void Observe(double seconds);

  struct Snapshot {
    std::array<uint64_t, kBounds.size()> at_most = {};  // How many were at most so long.
    uint64_t count = 0;
    double sum = 0;
  };
  Snapshot Read() const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_ = {};
  std::atomic<uint64_t> sum_ns_{0};
};

// What a program counts: made in main, given by reference to whoever counts. Whoever adds the same name again
// must do so with other labels and the same kind. Few labels, and never one for each user or room.
// Thread-safe. Counters and histograms live as long as this; what a gauge reads must live until nobody
// scrapes any more.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  enum class Kind { kCounter, kGauge, kHistogram };

  Counter& AddCounter(const std::string& name, const std::string& help, Labels labels = {});
  Histogram& AddHistogram(const std::string& name, const std::string& help, Labels labels = {});
  // `read` is called at each scrape, from any thread, and must not block.
  void AddGauge(const std::string& name, const std::string& help, std::function<double()> read,
                Labels labels = {});
  // A counter that somebody else keeps; as AddGauge.
  void AddCounterOf(const std::string& name, const std::string& help, std::function<double()> read,
                    Labels labels = {});

  struct Series {
    Labels labels;
    double value = 0;               // Of counters and gauges.
    Histogram::Snapshot histogram;  // Of histograms.
  };
  struct Family {
    std::string name;
    std::string help;
    Kind kind = Kind::kCounter;
    std::vector<Series> series;
  };
  // Everything as it is now, by name.
  std::vector<Family> Read() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    Labels labels;
    std::function<double()> read;
    const Histogram* histogram = nullptr;
  };
  struct Entries {
    std::string help;
    Kind kind = Kind::kCounter;
    std::vector<Entry> entries;
  };

  void Add(const std::string& name, const std::string& help, Kind kind, Entry entry) ABSL_LOCKS_EXCLUDED(mu_);

  mutable Mutex mu_;
  std::map<std::string, Entries> families_ ABSL_GUARDED_BY(mu_);
  std::list<Counter> counters_ ABSL_GUARDED_BY(mu_);  // Lists, because addresses were given away.
  std::list<Histogram> histograms_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub
