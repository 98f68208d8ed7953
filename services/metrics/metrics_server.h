#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "prometheus/exposer.h"
#include "services/metrics/metrics.h"

namespace hubbub::metrics {

// Shows metrics to Prometheus: its text format, at http://host:port/metrics. Two threads of its own. Owned by
// main, and destroyed before what the gauges read.
class MetricsServer {
 public:
  // Serves on this port, or on any free one for 0. Null, after a line in the log, if it cannot be had:
  // nobody should be without chat because they are without figures. `metrics` must outlive the server.
  static std::unique_ptr<MetricsServer> Start(Metrics& metrics, const std::string& host, uint16_t port);

  uint16_t port() const { return static_cast<uint16_t>(exposer_.GetListeningPorts().at(0)); }

 private:
  MetricsServer(Metrics& metrics, const std::string& address);

  const std::shared_ptr<Metrics> metrics_;  // Owns nothing: the exposer wants a weak_ptr.
  prometheus::Exposer exposer_;
};

}  // namespace hubbub::metrics
