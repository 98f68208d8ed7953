#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace hubbub::chat {

// Tells which rooms this chat server may begin to serve. RoomTable asks only about rooms that it does not
// have: it serves those that it has. An error is for the caller: FAILED_PRECONDITION names the chat server
// that owns the room (services/rpc/owner_hint.h), ABORTED says that nobody may have the room now.
// Thread-safe; called with a lock of RoomTable held, so no method may block or call RoomTable.
class Ownership {
 public:
  virtual ~Ownership() = default;

  // OK if this server may make the room, because no other server has it.
  virtual absl::Status MayMake(std::string_view room) const = 0;
  // OK if this server may take the room over from another server, which has frozen it.
  virtual absl::Status MayTake(std::string_view room) const = 0;
  // OK if this server may make the room from what connectors remember of it, because the server that had it
  // is lost.
  virtual absl::Status MayRecover(std::string_view room) const = 0;
};

}  // namespace hubbub::chat
