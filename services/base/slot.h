#pragma once

#include <string>
#include <string_view>

#include "services/base/stable_hash.h"

namespace hubbub {

// Rooms are owned by slots: a chat server owns a slot with all rooms in it. How many slots a suite has is
// written in its store when the store is made; this is what a new one gets.
inline constexpr int kDefaultSlots = 1024;

// The slot of a room. The same in every process, build and platform.
constexpr int SlotOf(std::string_view room, int slots) {
  return static_cast<int>(StableHash(room) % static_cast<uint64_t>(slots));
}

// What is hashed to find the chat server that should own a slot (services/base/rendezvous.h).
inline std::string SlotKey(int slot) {
  return "slot " + std::to_string(slot);
}

}  // namespace hubbub
