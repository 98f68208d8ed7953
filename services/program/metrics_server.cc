#include "services/program/metrics_server.h"

#include <utility>

#include "prometheus/text_serializer.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

// Prometheus has one connection, two of them two; the rest is for people.
constexpr int kMostConnections = 32;

// Who does not speak HTTP is at the wrong port.
class WrongPort final : public net::Protocol {
 public:
  explicit WrongPort(net::Connection& connection) : connection_(connection) {}

  size_t OnBytes(std::string_view bytes, bool) override {
    connection_.Close(net::CloseReason::kProtocolError, "the port of the metrics speaks HTTP alone");
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(net::CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(net::Clock::time_point) override {}
  void OnShutdown(std::string_view detail) override {
    connection_.Close(net::CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(net::CloseReason, std::string_view) override {}

 private:
  net::Connection& connection_;
};

net::HttpResponse Show(const metrics::Metrics& metrics) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = prometheus::TextSerializer().Serialize(metrics.Collect())};
}

}  // namespace

std::unique_ptr<MetricsServer> MetricsServer::Start(const metrics::Metrics& metrics, const std::string& host,
                                                    uint16_t port) {
  net::HttpRouter router;
  // By whatever name: a Service, a pod's address. A page of the web cannot read the answer.
  router.Add("/metrics",
             {.handler = [&metrics](const net::HttpRequest&) { return Show(metrics); }, .any_host = true});
  std::unique_ptr<MetricsServer> server(new MetricsServer);
  auto listener = net::Listener::Start(
      server->loops_, {.host = host, .port = port, .max_connections = kMostConnections},
      {.make = [](net::Loop&,
                  net::Connection& connection) { return std::make_unique<WrongPort>(connection); }},
      std::move(router));
  if (!listener.ok()) {
    spdlog::error("metrics cannot be shown, and all else goes on; see --metrics_port: {}",
                  std::string(listener.status().message()));
    return nullptr;
  }
  server->listener_ = *std::move(listener);
  return server;
}

}  // namespace hubbub::program
