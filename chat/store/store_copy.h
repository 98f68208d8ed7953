#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/open_store.h"
#include "chat/store/store.h"

namespace hubbub::chat {

struct CopiedStore {
  uint64_t rooms = 0;
  uint64_t messages = 0;
};

// Copies what was said from one store to another, for a suite that moves, as from SQLite to PostgreSQL.
//
// A copy that was interrupted goes on when it is made again: what is there already is not copied twice.
//
// While it copies it owns all slots of both stores, so no chat server writes into them.
class StoreCopy {
 public:
  using Wait = std::function<void(std::chrono::milliseconds)>;

  // Both outlive this object. `wait` returns after the time that it is given.
  StoreCopy(Store& from, Store& to, Wait wait) : from_(from), to_(to), wait_(std::move(wait)) {}

  // FAILED_PRECONDITION, with nothing copied, if a chat server uses one of them, or if `to` holds another
  // suite's messages or has begun by itself: then its clients know other offsets. Other errors: see Store.
  absl::StatusOr<CopiedStore> Run();

 private:
  // All slots of a store, by number, and by which claim they are ours.
  using Slots = std::vector<SlotGeneration>;

  // Makes the copier the owner of all slots, if no chat server is there.
  absl::StatusOr<Slots> TakeAll(Store& store, uint64_t incarnation, int64_t greatest);
  // Chat servers that ended without a word are marked as gone; others are an error.
  absl::Status ExpectNobody(Store& store);
  absl::Status CopyRoom(const RoomHead& room);
  // A message in the place of those that are deleted, so that the room has its first and its greatest offset.
  absl::Status CopyTrimmed(const RoomHead& room, SlotGeneration slot);
  absl::Status Append(SlotGeneration slot, std::vector<LoggedEvent> events);

  Store& from_;
  Store& to_;
  const Wait wait_;
  Slots slots_;  // Of `to`.
  CopiedStore copied_;
};

// Opens both and copies: `to` is made if it is not there. See StoreCopy.
absl::StatusOr<CopiedStore> CopyStore(StoreOptions from, StoreOptions to);

}  // namespace hubbub::chat
