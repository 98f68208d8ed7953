#include "connector/connector_metrics.h"

#include <string>

#include "services/client/client_metrics.h"

namespace hubbub::connector {

void AddConnectorMetrics(metrics::Metrics& metrics, const Connector& connector, int max_connections) {
  metrics.AddGauge("hubbub_sessions", "Client connections now",
                   [&connector] { return connector.sessions(); });
  metrics.AddGauge("hubbub_sessions_limit", "Client connections that this connector takes",
                   [max_connections] { return max_connections; });
  metrics.AddGauge("hubbub_ready",
                   "1 if this connector reaches every chat server of the directory, otherwise 0",
                   [&connector] { return connector.Ready() ? 1.0 : 0.0; });
  client::AddClientMetrics(
      metrics, [&connector] { return connector.traffic(); },
      [&connector] { return connector.client_counts(); });
  metrics.AddGauge("hubbub_places", "Places of sessions in rooms, with those that are on their way there",
                   [&connector] { return static_cast<double>(connector.counts().places); });
  metrics.AddCounterOf("hubbub_deliveries_total", "Events that clients were given, each as often as it was",
                       [&connector] { return static_cast<double>(connector.counts().deliveries); });
  metrics.AddCounterOf("hubbub_skipped_messages_total",
                       "Messages that clients were not given, because they were too far behind",
                       [&connector] { return static_cast<double>(connector.counts().skipped); });
  metrics.AddCounterOf("hubbub_events_received_total", "Events that chat servers have sent to this connector",
                       [&connector] { return static_cast<double>(connector.counts().events_received); });
  const std::string streams = "hubbub_chat_streams_total";
  const std::string streams_help =
      "Streams to chat servers that were opened: with a new lease, or resumed with the one before";
  metrics.AddCounterOf(streams, streams_help,
                       [&connector] { return static_cast<double>(connector.counts().new_streams); },
                       {{"lease", "new"}});
  metrics.AddCounterOf(streams, streams_help,
                       [&connector] { return static_cast<double>(connector.counts().resumed_streams); },
                       {{"lease", "resumed"}});
  metrics.AddCounterOf("hubbub_chat_servers_lost_total",
                       "How often a chat server was found to be out of reach",
                       [&connector] { return static_cast<double>(connector.counts().servers_lost); });
}

}  // namespace hubbub::connector
