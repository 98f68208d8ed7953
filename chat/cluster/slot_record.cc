#include "chat/cluster/slot_record.h"

#include <algorithm>

namespace hubbub::chat {

void SlotRecord::Claim(uint64_t self, int64_t generation, std::string_view lost) {
  if (!BelongsTo(self)) {
    state_ = lost.empty() ? State::kOpen : State::kRestoring;
    lost_ = lost;
  }
  owner_ = self;
  generation_ = generation;
}

void SlotRecord::TakeOver(uint64_t self, int64_t generation) {
  owner_ = self;
  generation_ = generation;
  state_ = State::kClosed;
  lost_.clear();
}

void SlotRecord::Open(uint64_t self, int64_t generation) {
  if (!BelongsTo(self)) return;
  generation_ = std::max(generation_, generation);
  state_ = State::kOpen;
}

void SlotRecord::Restored() {
  if (state_ != State::kRestoring) return;
  state_ = State::kOpen;
  lost_.clear();
}

bool SlotRecord::Close(uint64_t self) {
  if (!BelongsTo(self) || state_ != State::kOpen) return false;
  state_ = State::kClosed;
  return true;
}

void SlotRecord::Give(uint64_t taker, int64_t generation) {
  if (generation < generation_) return;
  owner_ = taker;
  generation_ = generation;
}

bool SlotRecord::See(const StoredSlot& row, const StoredServer* owner, uint64_t self) {
  // A hand-over that was answered while the view was being read.
  if (row.generation < generation_) return false;
  const bool was_mine = BelongsTo(self);
  const bool is_mine = self != 0 && row.owner == self;
  if (is_mine && !was_mine && owner != nullptr && !owner->gone) {
    // What lives agreed to a hand-over, whose rooms are still to come.
    TakeOver(self, row.generation);
  } else if (is_mine) {
    // If it was not this server's: a claim whose answer was lost.
    Claim(self, row.generation, owner == nullptr ? "" : owner->id);
  } else {
    owner_ = row.owner;
    generation_ = row.generation;
  }
  // The rooms of a closed slot are on their way, and the hand-over tells what becomes of them.
  return was_mine && !is_mine && state_ != State::kClosed;
}

}  // namespace hubbub::chat
