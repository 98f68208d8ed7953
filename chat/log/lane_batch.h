#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chat/log/held_slots.h"
#include "chat/rooms/room_lines.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// One batch of a lane: the rows that go to the store, unchanged until it has answered, and what part of them
// each room has. For one thread.
class LaneBatch {
 public:
  struct Part {
    std::string room;
    int slot = 0;
    size_t first = 0;  // Of the rows.
    size_t count = 0;
    uint64_t last_offset = 0;
  };
  enum class Added {
    kNone,  // The room has nothing to send.
    kAll,   // All that waits in the room is in the batch.
    kSome,  // Something that waits in the room is not.
    kLost,  // The room's slot is not this server's: nothing was taken.
  };

  LaneBatch(size_t max_events, size_t max_bytes) : max_events_(max_events), max_bytes_(max_bytes) {}

  // Takes what waits in the room, as far as there is space.
  Added Add(const std::string& room, RoomLines& lines, const HeldSlots& slots);

  bool full() const { return rows_.events.size() >= max_events_ || bytes_ >= max_bytes_; }
  bool empty() const { return rows_.events.empty(); }
  size_t size() const { return rows_.events.size(); }
  const AppendBatch& rows() const { return rows_; }
  const std::vector<Part>& parts() const { return parts_; }

 private:
  const size_t max_events_;
  const size_t max_bytes_;
  AppendBatch rows_;
  std::vector<Part> parts_;
  size_t bytes_ = 0;
};

}  // namespace hubbub::chat
