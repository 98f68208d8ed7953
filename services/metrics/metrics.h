#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/labels.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"
#include "services/base/mutex.h"

namespace hubbub::metrics {

// What a program shows to Prometheus: made in ServerMain, given by reference to the parts that count. Adding
// the same name again must be done by the same function, with the same help and other labels. Few labels, and
// never one for each user or room. Thread-safe. Counters and histograms live as long as this; what a gauge
// reads must live until nobody scrapes any more.
class Metrics final : public prometheus::Collectable {
 public:
  using Labels = prometheus::Labels;

  prometheus::Counter& AddCounter(const std::string& name, const std::string& help,
                                  const Labels& labels = {});
  // How long things took, in seconds; its buckets fit calls between servers.
  prometheus::Histogram& AddHistogram(const std::string& name, const std::string& help,
                                      const Labels& labels = {});
  // `read` is called at each scrape, from any thread, and must not block.
  void AddGauge(const std::string& name, const std::string& help, std::function<double()> read,
                Labels labels = {});
  // A counter that somebody else keeps; as AddGauge.
  void AddCounterOf(const std::string& name, const std::string& help, std::function<double()> read,
                    Labels labels = {});

  // Everything as it is now, by name.
  std::vector<prometheus::MetricFamily> Collect() const override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Reading {
    Labels labels;
    std::function<double()> read;
  };
  struct Readings {
    std::string help;
    prometheus::MetricType type = prometheus::MetricType::Untyped;
    std::vector<Reading> all;
  };
  void Add(const std::string& name, const std::string& help, prometheus::MetricType type, Reading reading)
      ABSL_LOCKS_EXCLUDED(mu_);

  prometheus::Registry registry_;  // Of what is counted here.
  mutable Mutex mu_;
  std::map<std::string, Readings> readings_ ABSL_GUARDED_BY(mu_);  // Of what others keep, by name.
};

}  // namespace hubbub::metrics
