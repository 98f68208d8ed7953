#include "chat/chat_metrics.h"

#include <string>

namespace hubbub::chat {
namespace {

void AddRoomMetrics(metrics::Metrics& metrics, const ChatServer& server) {
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

void AddConnectorMetrics(metrics::Metrics& metrics, const ChatServer& server) {
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

void AddStoreMetrics(metrics::Metrics& metrics, const ChatServer& server) {
  metrics.AddGauge("hubbub_slots", "Slots that this chat server owns now",
                   [&server] { return static_cast<double>(server.slots()); });
  metrics.AddGauge("hubbub_store_beat_age_seconds",
                   "How long ago the store last said that this chat server lives",
                   [&server] { return server.store_counts().beat_age_s; });
  metrics.AddCounterOf(
      "hubbub_store_claimed_slots_total",
      "Slots that this chat server has claimed: nobody's, or those of a server that was gone",
      [&server] { return static_cast<double>(server.store_counts().claimed); });
  metrics.AddCounterOf("hubbub_store_errors_total", "Times that the store did not answer as asked",
                       [&server] { return static_cast<double>(server.store_counts().errors); });
  metrics.AddCounterOf("hubbub_chat_servers_lost_total",
                       "Runs of other chat servers that were found to be gone",
                       [&server] { return static_cast<double>(server.store_counts().servers_lost); });
}

void AddLogMetrics(metrics::Metrics& metrics, const ChatServer& server) {
  metrics.AddGauge("hubbub_log_waiting_sends", "Sends that wait for the store now",
                   [&server] { return static_cast<double>(server.waiting_sends()); });
  const auto add = [&](const char* name, const char* help, const metrics::Counter& counter) {
    metrics.AddCounterOf(name, help, [&counter] { return static_cast<double>(counter.value()); });
  };
  const LogCounters& log = server.log()->counters();
  add("hubbub_log_commits_total", "Batches of messages that the store has taken", log.commits);
  metrics.AddCounterOf("hubbub_log_commit_seconds_total", "How long these took, in sum",
                       [&log] { return static_cast<double>(log.commit_micros.value()) / 1e6; });
  add("hubbub_log_messages_total", "Messages that were published from them", log.events);
  add("hubbub_log_errors_total", "Batches that the store did not take, or did not answer", log.errors);
  add("hubbub_log_repeats_total", "Batches that were sent again, because nobody knew what became of them",
      log.repeats);
  add("hubbub_log_fenced_total", "Slots that were another server's by the time of a batch", log.fenced);
  add("hubbub_log_stale_rooms_total", "Rooms that the store knew better than this server", log.stale);
  add("hubbub_log_refused_total", "Messages that the store refuses by themselves", log.refused);
  add("hubbub_log_rooms_read_total", "Rooms that were read from the store", log.rooms_read);
  add("hubbub_log_read_errors_total", "Reads of rooms that failed", log.read_errors);
  metrics.AddCounterOf(
      "hubbub_log_deleted_total", "Old messages that were deleted from the store",
      [&server] { return static_cast<double>(server.log()->history().retention().deleted()); });
}

}  // namespace

void AddChatMetrics(metrics::Metrics& metrics, const ChatServer& server) {
  AddRoomMetrics(metrics, server);
  AddConnectorMetrics(metrics, server);
  AddStoreMetrics(metrics, server);
  if (server.log() != nullptr) AddLogMetrics(metrics, server);
}

}  // namespace hubbub::chat
