#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "chat/cluster/slot_table.h"
#include "chat/rooms/ownership.h"

namespace hubbub::chat {

// Which rooms this chat server may begin to serve, by the standing of their slots, and what a caller is told
// about the others. Thread-safe, as Ownership; takes only the lock of the SlotTable.
class RoomAdmission final : public Ownership {
 public:
  // `id`: this server's. `slots` outlives this object.
  RoomAdmission(std::string id, const SlotTable& slots) : id_(std::move(id)), slots_(slots) {}

  absl::Status MayMake(std::string_view room) const override;
  absl::Status MayTake(std::string_view room) const override;
  absl::Status MayRecover(std::string_view room) const override;

 private:
  absl::Status Refusal(std::string_view room, const SlotTable::Standing& standing) const;

  const std::string id_;
  const SlotTable& slots_;
};

}  // namespace hubbub::chat
