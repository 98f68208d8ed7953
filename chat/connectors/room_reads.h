#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "chat/connectors/loss_report.h"
#include "chat/rooms/room_table.h"

namespace hubbub::chat {

// Calls that wait for rooms which are read from the log first (README.md of chat/rooms, "With a log"). A call
// waits a few times at most, for a room may be forgotten again meanwhile. Thread-safe. Owned by ChatService.
class RoomReads {
 public:
  // `rooms` outlives this object.
  explicit RoomReads(RoomTable& rooms) : rooms_(rooms) {}

  // Makes an attempt again when the room that the one before has said to be BeingRead is here, and tells
  // `finish` what became of it.
  void Retry(const std::string& room, std::function<absl::Status()> attempt,
             std::function<void(const absl::Status&)> finish);
  // Gives a connector's places back, and tells `finish` of each room. `moved`: the rooms were handed over;
  // otherwise their chat server was lost.
  void Restore(bool moved, LossReport report, RestoreDone finish);

 private:
  struct Restoring;
  static constexpr int kMost = 4;

  void Retry(const std::string& room, std::function<absl::Status()> attempt,
             std::function<void(const absl::Status&)> finish, int most);
  void Restore(const std::shared_ptr<Restoring>& restoring, int most);

  RoomTable& rooms_;
};

}  // namespace hubbub::chat
