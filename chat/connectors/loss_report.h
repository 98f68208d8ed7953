#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/rooms/room_state.h"

namespace hubbub::chat {

// What a connector, or a part of it, held at a chat server that it has lost. A value; free of gRPC.
struct LossReport {
  std::string connector;
  uint32_t part = 0;
  uint32_t parts = 1;
  uint32_t calls = 0;  // In how many calls the part reports; 0: more calls follow.
  std::vector<std::pair<std::string, RoomClaim>> rooms;
};

// One for each room of a report, in its order.
using RestoreResults = std::vector<absl::StatusOr<RestoreResult>>;
using RestoreDone = std::function<void(RestoreResults)>;

}  // namespace hubbub::chat
