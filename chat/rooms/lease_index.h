#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace hubbub::chat {

class Room;

// Which rooms of one shard hold places of which lease, so that the end of a lease touches its own rooms
// alone. The rooms keep it true. Not thread-safe: the shard's lock guards it.
class LeaseIndex {
 public:
  void Insert(uint64_t lease, Room* room) { rooms_[lease].insert(room); }

  void Erase(uint64_t lease, Room* room) {
    const auto it = rooms_.find(lease);
    if (it == rooms_.end()) return;
    it->second.erase(room);
    if (it->second.empty()) rooms_.erase(it);
  }

  // Some room of the lease; null if there is none.
  Room* Any(uint64_t lease) const {
    const auto it = rooms_.find(lease);
    return it == rooms_.end() ? nullptr : *it->second.begin();
  }

 private:
  absl::flat_hash_map<uint64_t, absl::flat_hash_set<Room*>> rooms_;
};

}  // namespace hubbub::chat
