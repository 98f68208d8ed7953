#include "services/client/client_metrics.h"

#include <string>

namespace hubbub::client {

void AddClientMetrics(metrics::Metrics& metrics, const std::function<net::Traffic()>& traffic,
                      const std::function<ClientCounts()>& counts) {
  metrics.AddCounterOf("hubbub_client_received_bytes_total", "Bytes of the protocol that clients have sent",
                       [traffic] { return static_cast<double>(traffic().received_bytes); });
  metrics.AddCounterOf("hubbub_client_sent_bytes_total", "Bytes of the protocol that clients were sent",
                       [traffic] { return static_cast<double>(traffic().sent_bytes); });
  metrics.AddGauge("hubbub_client_queued_bytes",
                   "Bytes that wait for clients now, and 80 more for each payload",
                   [traffic] { return static_cast<double>(traffic().queued_bytes); });
  for (const net::CloseReason reason : net::kCloseReasons) {
    metrics.AddCounterOf("hubbub_client_closes_total", "Client connections that have ended, and why",
                         [traffic, reason] { return static_cast<double>(traffic().closed(reason)); },
                         {{"reason", std::string(net::ToString(reason))}});
  }
  for (size_t i = 0; i < net::kTlsHandshakes.size(); ++i) {
    metrics.AddCounterOf("hubbub_client_tls_handshakes_total", "TLS handshakes of clients, by how they ended",
                         [traffic, i] { return static_cast<double>(traffic().handshakes[i]); },
                         {{"result", std::string(net::kTlsHandshakes[i])}});
  }
  for (const ProtocolKind protocol : kProtocols) {
    const std::string name(ToString(protocol));
    metrics.AddCounterOf("hubbub_client_sessions_total", "Sessions of clients that have begun, by protocol",
                         [counts, protocol] { return static_cast<double>(counts().of(protocol).greeted); },
                         {{"protocol", name}});
    for (size_t i = 0; i < kRequestCodes.size(); ++i) {
      const int code = kRequestCodes[i];
      metrics.AddCounterOf(
          "hubbub_client_requests_total", "Requests and notifies of clients, by protocol and answer",
          [counts, protocol, i] { return static_cast<double>(counts().of(protocol).requests[i]); },
          {{"code", code == 0 ? "other" : std::to_string(code)}, {"protocol", name}});
    }
  }
}

}  // namespace hubbub::client
