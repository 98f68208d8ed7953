#include "services/metrics/metrics_server.h"

#include <exception>

#include "services/base/host_port.h"
#include "spdlog/spdlog.h"

namespace hubbub::metrics {

MetricsServer::MetricsServer(Metrics& metrics, const std::string& address)
    : metrics_(&metrics, [](Metrics*) {}), exposer_(address) {
  exposer_.RegisterCollectable(metrics_);
}

std::unique_ptr<MetricsServer> MetricsServer::Start(Metrics& metrics, const std::string& host,
                                                    uint16_t port) {
  const std::string address = HostPort(host, port);
  try {
    return std::unique_ptr<MetricsServer>(new MetricsServer(metrics, address));
  } catch (const std::exception& error) {
    spdlog::error(
        "metrics cannot be shown on {} ({}); all else goes on. Is the port in use? See --metrics_port",
        address, error.what());
    return nullptr;
  }
}

}  // namespace hubbub::metrics
