#include "chat/cluster/room_admission.h"

#include "fmt/format.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {

using Of = SlotTable::Standing::Of;

absl::Status RoomAdmission::MayMake(std::string_view room) const {
  const SlotTable::Standing standing = slots_.StandingOf(room);
  if (standing.of == Of::kSelf && standing.state == SlotRecord::State::kOpen) return absl::OkStatus();
  return Refusal(room, standing);
}

absl::Status RoomAdmission::MayTake(std::string_view room) const {
  const SlotTable::Standing standing = slots_.StandingOf(room);
  return standing.of == Of::kSelf ? absl::OkStatus() : Refusal(room, standing);
}

absl::Status RoomAdmission::MayRecover(std::string_view room) const {
  const SlotTable::Standing standing = slots_.StandingOf(room);
  if (standing.of == Of::kSelf && standing.state != SlotRecord::State::kClosed) return absl::OkStatus();
  return Refusal(room, standing);
}

absl::Status RoomAdmission::Refusal(std::string_view room, const SlotTable::Standing& standing) const {
  switch (standing.of) {
    case Of::kUnknown:
      return absl::AbortedError(
          fmt::format("chat server \"{}\" has not reached its store yet: try again soon", id_));
    case Of::kNobody:
      return absl::AbortedError(
          fmt::format("room \"{}\" belongs to no chat server just now: try again soon", room));
    case Of::kOther: {
      absl::Status status = absl::FailedPreconditionError(
          fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, as far as \"{}\" knows: ask there",
                      room, standing.owner.id, standing.owner.address, id_));
      rpc::SetOwner(status, standing.owner.id);
      return status;
    }
    case Of::kSelf:
      break;
  }
  if (standing.state == SlotRecord::State::kRestoring) {
    return absl::AbortedError(
        fmt::format("room \"{}\" is being restored after the loss of chat server \"{}\": try again soon",
                    room, standing.lost));
  }
  return absl::AbortedError(
      fmt::format("room \"{}\" is on its way to another chat server: try again soon", room));
}

}  // namespace hubbub::chat
