#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/store/store.h"

namespace hubbub::chat {

// What a chat server knows of one slot: whose it is, by which claim, and, if it is this server's, whether
// rooms may begin there. The states are drawn in README.md, "Who owns a slot". `self` is always the run of
// this server. Pure. Not thread-safe.
class SlotRecord {
 public:
  enum class State : uint8_t {
    kOpen,
    kRestoring,  // Claimed from a server that is gone: its rooms are being restored.
    kClosed,     // On its way to another server, or from one.
  };

  uint64_t owner() const { return owner_; }
  int64_t generation() const { return generation_; }
  // The next two mean something only while the slot is this server's. `lost` is the id of the server whose
  // rooms are being restored.
  State state() const { return state_; }
  const std::string& lost() const { return lost_; }
  // A server that has no run, 0, has nothing.
  bool BelongsTo(uint64_t run) const { return run != 0 && owner_ == run; }

  // The store has given the slot to this server, because it was nobody's, or `lost`'s, who is gone; empty:
  // nobody's. If this server had it already it stays as it is, but for its generation.
  void Claim(uint64_t self, int64_t generation, std::string_view lost);
  // The owner has handed it over to this server. It is closed until Open.
  void TakeOver(uint64_t self, int64_t generation);
  // Nothing happens if it is not this server's by now.
  void Open(uint64_t self, int64_t generation);
  // All rooms of the server that is gone are here.
  void Restored();
  // True if it was open.
  bool Close(uint64_t self);
  // The run `taker` owns it now. Nothing happens if a later claim is known.
  void Give(uint64_t taker, int64_t generation);
  // What a view of the store says, which may be older than what is known. `owner`: as the view lists the run
  // that has the slot so far; null: nobody. True if this server has lost the slot while no hand-over was
  // under way.
  bool See(const StoredSlot& row, const StoredServer* owner, uint64_t self);

 private:
  uint64_t owner_ = 0;
  int64_t generation_ = 0;
  State state_ = State::kOpen;
  std::string lost_;
};

}  // namespace hubbub::chat
