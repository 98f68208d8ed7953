#include "chat/chat_metrics.h"

#include <string>

namespace hubbub::chat {
namespace {

void AddRoomMetrics(Metrics& metrics, const ChatServer& server) {
  metrics.AddGauge("hubbub_rooms", "Rooms now", [&server] { return static_cast<double>(server.rooms()); });
  metrics.AddGauge("hubbub_places", "Places of sessions in rooms now",
                   [&server] { return static_cast<double>(server.room_counts().places); });
  metrics.AddGauge("hubbub_recent_bytes", "Memory of what rooms keep for those who come back",
                   [&server] { return static_cast<double>(server.recent_bytes()); });
  const std::string events_help = "Events that rooms have had here: messages, and users who came or went";
  metrics.AddCounterOf("hubbub_events_total", events_help,
                       [&server] { return static_cast<double>(server.room_counts().messages); },
                       {{"kind", "message"}});
  metrics.AddCounterOf("hubbub_events_total", events_help,
                       [&server] { return static_cast<double>(server.room_counts().presence); },
                       {{"kind", "presence"}});
  const std::string moves_help =
      "Rooms that were given to another chat server, were taken from one, or were restored after one was "
      "lost";
  metrics.AddCounterOf("hubbub_room_moves_total", moves_help,
                       [&server] { return static_cast<double>(server.room_counts().given); },
                       {{"way", "given"}});
  metrics.AddCounterOf("hubbub_room_moves_total", moves_help,
                       [&server] { return static_cast<double>(server.room_counts().taken); },
                       {{"way", "taken"}});
  metrics.AddCounterOf("hubbub_room_moves_total", moves_help,
                       [&server] { return static_cast<double>(server.room_counts().restored); },
                       {{"way", "restored"}});
}

void AddConnectorMetrics(Metrics& metrics, const ChatServer& server) {
  metrics.AddGauge("hubbub_leases", "Leases of connectors now, with those whose stream is away",
                   [&server] { return static_cast<double>(server.lease_counts().leases); });
  metrics.AddGauge("hubbub_connector_queued_bytes", "Bytes of events that wait for connectors now",
                   [&server] { return static_cast<double>(server.lease_counts().queued_bytes); });
  metrics.AddCounterOf("hubbub_connector_sent_events_total", "Events that connectors were sent",
                       [&server] { return static_cast<double>(server.lease_counts().sent_events); });
  metrics.AddCounterOf("hubbub_connector_sent_bytes_total", "Bytes of events that connectors were sent",
                       [&server] { return static_cast<double>(server.lease_counts().sent_bytes); });
  metrics.AddCounterOf("hubbub_connector_cuts_total", "Connectors that were cut because they did not read",
                       [&server] { return static_cast<double>(server.lease_counts().cuts); });
}

}  // namespace

void AddChatMetrics(Metrics& metrics, const ChatServer& server) {
  AddRoomMetrics(metrics, server);
  AddConnectorMetrics(metrics, server);
  metrics.AddCounterOf("hubbub_chat_servers_lost_total",
                       "How often another chat server was found to be out of reach, or restarted",
                       [&server] { return static_cast<double>(server.servers_lost()); });
}

}  // namespace hubbub::chat
