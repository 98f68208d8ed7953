#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/cluster/chat_cluster.h"
#include "chat/log/durable_log.h"
#include "chat/log/history.h"
#include "chat/rooms/room_table.h"
#include "services/base/task_thread.h"

namespace hubbub::chat {

// The durable log of a chat server: joins DurableLog to the slots and rooms of the server. Made before the
// rooms, which it outlives. Owned by ChatServer; Start, StopReading and Stop are for one thread, the rest is
// thread-safe.
class ChatLog final : private HeldSlots, private LogListener {
 public:
  // `id`: this server's. `cluster` outlives this object. `open` connects to the store.
  ChatLog(std::string id, ChatCluster& cluster, const Retention::Options& retention,
          const DurableLog::OpenStore& open)
      : id_(std::move(id)),
        cluster_(cluster),
        open_(open),
        log_({}, *this, *this),
        history_(*this, retention, open) {}

  // For RoomOptions::log.
  EventLog& events() { return log_; }
  // Starts the log at once if the store was reached, and otherwise on a thread of its own once it is.
  void Start(RoomTable& rooms);
  bool running() const { return log_.running(); }
  bool started() const { return log_.started(); }
  const LogCounters& counters() const { return log_.counters(); }
  History& history() { return history_; }
  const History& history() const { return history_; }
  // No room and no history is read any more: callers that wait are told. No log starts any more.
  void StopReading();
  // Ends the log, as DurableLog::Stop.
  void Stop() { log_.Stop(); }

 private:
  int slots() const override { return cluster_.slots().slots(); }
  int SlotOf(std::string_view room) const override { return cluster_.slots().SlotOfRoom(room); }
  int64_t GenerationOf(int slot) const override { return cluster_.slots().Held(slot); }
  void OnSlotLost(int slot, int64_t generation) override;
  void OnRoomStale(std::string_view room) override;

  // True once the log has started.
  bool TryStart();

  static constexpr std::chrono::milliseconds kAgain{50};

  const std::string id_;
  ChatCluster& cluster_;
  const DurableLog::OpenStore open_;
  DurableLog log_;
  History history_;
  RoomTable* rooms_ = nullptr;        // Set before the log runs.
  std::optional<absl::Status> told_;  // Of Start, then of the thread.
  TaskThread starting_;               // The last member: it uses the others.
};

}  // namespace hubbub::chat
