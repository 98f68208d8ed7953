#include "chat/connectors/room_reads.h"

#include <cstddef>
#include <utility>

namespace hubbub::chat {

struct RoomReads::Restoring {
  bool moved;
  LossReport report;
  RestoreResults results;  // One for each room; BeingRead: it is to be asked for.
  RestoreDone finish;
};

void RoomReads::Retry(const std::string& room, std::function<absl::Status()> attempt,
                      std::function<void(const absl::Status&)> finish) {
  Retry(room, std::move(attempt), std::move(finish), kMost);
}

void RoomReads::Retry(const std::string& room, std::function<absl::Status()> attempt,
                      std::function<void(const absl::Status&)> finish, int most) {
  rooms_.WhenRead(room, [this, room, attempt = std::move(attempt), finish = std::move(finish), most] {
    const absl::Status status = attempt();
    if (!IsBeingRead(status) || most <= 1) return finish(status);
    Retry(room, attempt, finish, most - 1);
  });
}

void RoomReads::Restore(bool moved, LossReport report, RestoreDone finish) {
  const size_t rooms = report.rooms.size();
  Restore(std::make_shared<Restoring>(Restoring{.moved = moved,
                                                .report = std::move(report),
                                                .results = RestoreResults(rooms, BeingRead("")),
                                                .finish = std::move(finish)}),
          kMost);
}

void RoomReads::Restore(const std::shared_ptr<Restoring>& restoring, int most) {
  const std::string* being_read = nullptr;
  for (size_t i = 0; i < restoring->results.size(); ++i) {
    auto& result = restoring->results[i];
    if (!IsBeingRead(result.status())) continue;
    const auto& [room, claim] = restoring->report.rooms[i];
    // If the room was lost, the other connectors have reported already, and it is here with what they held.
    result = restoring->moved ? rooms_.Restore(room, claim) : rooms_.RecoverLate(room, claim);
    if (IsBeingRead(result.status())) being_read = &room;
  }
  if (being_read == nullptr || most <= 1) return restoring->finish(restoring->results);
  rooms_.WhenRead(*being_read, [this, restoring, most] { Restore(restoring, most - 1); });
}

}  // namespace hubbub::chat
