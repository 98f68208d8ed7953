#pragma once

#include <cstdint>

namespace hubbub::connector {

// How far a client has seen a room: messages, and comings and goings, up to a number each. Without durable
// history both are numbered together, and `life` is 0.
struct RoomPoint {
  uint64_t epoch = 0;  // A life of the offsets.
  uint64_t offset = 0;
  uint64_t life = 0;  // A life of the changes.
  uint64_t change = 0;

  bool operator==(const RoomPoint&) const = default;
};

}  // namespace hubbub::connector
