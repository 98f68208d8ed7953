#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "services/metrics/metrics.h"
#include "services/net/listener.h"
#include "services/net/loop.h"

namespace hubbub::program {

// Shows metrics to Prometheus: its text format, at http://host:port/metrics. One thread of its own. Owned by
// main, and destroyed before what the gauges read.
class MetricsServer {
 public:
  // Serves on this port, or on any free one for 0. Null, after a line in the log, if it cannot be had:
  // nobody should be without chat because they are without figures. `metrics` must outlive the server.
  static std::unique_ptr<MetricsServer> Start(const metrics::Metrics& metrics, const std::string& host,
                                              uint16_t port);

  uint16_t port() const { return listener_->port(); }

 private:
  MetricsServer() = default;

  net::Loops loops_{1};
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace hubbub::program
