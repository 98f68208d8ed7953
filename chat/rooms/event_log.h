#pragma once

#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "fmt/format.h"

namespace hubbub::chat {

// Where the messages of rooms are kept before anybody sees them. A table that has a log proposes each send,
// and publishes it once the log has it. Thread-safe; Wake and Load are called with a lock of RoomTable held,
// so they may not block or call RoomTable.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // The room has proposals that no batch has taken, and had none before.
  virtual void Wake(std::string_view room) = 0;
  // Somebody wants a room that is not here: read what the log has of it, then RoomTable::Open. False: the log
  // cannot be read now.
  virtual bool Load(std::string_view room) = 0;
  // Calls `done` once when what Load was asked for before is over, with or without success; on a thread of
  // the log, or within this call.
  virtual void WhenRead(std::string_view room, std::function<void()> done) = 0;
};

// ABORTED: the room is not here yet, and is being read from the log.
inline constexpr char kBeingReadUrl[] = "hubbub/room-is-being-read";
inline absl::Status BeingRead(std::string_view room) {
  absl::Status status =
      absl::AbortedError(fmt::format("room \"{}\" is being read from the store: try again soon", room));
  status.SetPayload(kBeingReadUrl, absl::Cord());
  return status;
}
inline bool IsBeingRead(const absl::Status& status) {
  return absl::IsAborted(status) && status.GetPayload(kBeingReadUrl).has_value();
}

}  // namespace hubbub::chat
