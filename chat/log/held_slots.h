#pragma once

#include <cstdint>
#include <string_view>

namespace hubbub::chat {

// What the log asks about the slots of this chat server. Thread-safe; called with locks held, so no method
// may block.
class HeldSlots {
 public:
  virtual ~HeldSlots() = default;

  // How many slots there are. Constant, as is a room's slot.
  virtual int slots() const = 0;
  virtual int SlotOf(std::string_view room) const = 0;
  // The generation as which this server has the slot; 0: it does not have it.
  virtual int64_t GenerationOf(int slot) const = 0;
};

// Is told what the store has shown. Called by threads of the log without a lock held; must not block for
// long. Thread-safe.
class LogListener {
 public:
  virtual ~LogListener() = default;

  // The slot is another server's: everything that was proposed in it is refused already. Its rooms must go.
  virtual void OnSlotLost(int slot, int64_t generation) = 0;
  // The log has events of the room that this server does not know: the room must go, and be read anew.
  virtual void OnRoomStale(std::string_view room) = 0;
};

}  // namespace hubbub::chat
