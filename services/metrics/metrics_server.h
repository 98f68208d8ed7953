#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "services/metrics/metrics.h"

namespace hubbub {

// Shows metrics to Prometheus: its text format, at http://host:port/metrics. Two threads of its own. Owned by
// main, and destroyed before what the gauges read.
class MetricsServer {
 public:
  // Serves on this port, or on any free one for 0. Null, after a line in the log, if it can not be had:
  // nobody should be without chat because they are without figures.
  static std::unique_ptr<MetricsServer> Start(const Metrics& metrics, const std::string& host, uint16_t port);
  ~MetricsServer();

  uint16_t port() const;

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace hubbub
