#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/rooms/event_log.h"
#include "chat/rooms/lease_index.h"
#include "chat/rooms/ownership.h"
#include "chat/rooms/room.h"
#include "chat/rooms/send_budget.h"
#include "services/base/clock.h"
#include "services/base/mutex.h"
#include "services/base/random_id.h"
#include "services/base/string_map.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

struct RoomOptions {
  DuplicateUser duplicate_user = DuplicateUser::kRefuse;
  Room::Limits room;
  // At this many rooms, Add and Send to a new one answer RESOURCE_EXHAUSTED.
  size_t max_rooms = 1'000'000;
  // Memory of what all rooms keep of the past. Above it, rooms that have more than an equal share of it keep
  // the newest of that share alone: so nobody who fills rooms takes from the others.
  size_t max_recent_bytes = size_t{512} << 20;
  // Both are called from several threads at once. `now_ms`: ages are judged by it.
  std::function<int64_t()> now_ms = SteadyNowMs;
  std::function<uint64_t()> new_epoch = RandomId;  // 1 to 2^53 - 1.
  // Where messages are kept before anybody sees them; outlives the table. Null: nowhere.
  EventLog* log = nullptr;
};

// Where the rooms of a chat server are kept: in shards, each with a lock of its own, and with the sums of
// what they hold. RoomTable says what is done with a room. Thread-safe; a Room, and a shard's maps, are used
// with the shard's lock held.
class RoomShards {
 public:
  struct ReadRoom {
    RoomState state;
    int64_t since_ms = 0;
  };
  struct alignas(64) Shard {
    mutable Mutex mu;
    LeaseIndex leases ABSL_GUARDED_BY(mu);
    StringMap<std::unique_ptr<Room>> rooms ABSL_GUARDED_BY(mu);
    // Rooms that are on their way to another chat server.
    StringMap<std::unique_ptr<Room>> frozen ABSL_GUARDED_BY(mu);
    // Those with proposals, which are never frozen.
    absl::flat_hash_set<Room*> waiting ABSL_GUARDED_BY(mu);
    // What was read from the log, of rooms that may not be made yet.
    StringMap<ReadRoom> read ABSL_GUARDED_BY(mu);
    // Written with mu held, read without.
    metrics::SingleWriterNumber places;
    metrics::SingleWriterNumber events;
    metrics::SingleWriterNumber messages;  // Of the events.
  };
  // One of the questions that Ownership answers.
  using Question = absl::Status (Ownership::*)(std::string_view room) const;

  // `ownership` outlives this object; null: every room is this server's.
  RoomShards(RoomOptions options, const Ownership* ownership)
      : options_(std::move(options)), ownership_(ownership) {
    options_.room.budget = options_.log == nullptr ? nullptr : &budget_;
  }

  const RoomOptions& options() const { return options_; }
  const SendBudget& budget() const { return budget_; }
  Shard& Of(std::string_view room) const;
  // To be walked through; one lock at a time.
  std::array<Shard, 64>& all() const { return shards_; }

  static Room* Find(const Shard& shard, std::string_view room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // Why a room that is not here cannot be used: it is frozen, another server's, or nobody's.
  absl::Status WhyNotHere(const Shard& shard, std::string_view room) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  absl::Status Ask(Question question, std::string_view room) const {
    return ownership_ == nullptr ? absl::OkStatus() : (ownership_->*question)(room);
  }
  // Makes the room if it is not here and the answer to `question` is OK. RESOURCE_EXHAUSTED. With a log, the
  // room must have been read: otherwise that begins, and the answer is BeingRead.
  absl::StatusOr<Room*> FindOrMake(Shard& shard, std::string_view room, Question question)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // See RoomTable.
  absl::Status Open(const RoomState& state);
  bool HasOrReads(std::string_view room);
  // A room that is not in the shard yet.
  std::unique_ptr<Room> NewRoom(Shard& shard, std::string_view room, uint64_t epoch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  // Does `operation` on a room of the shard and counts what it changed.
  template <typename Operation>
  std::invoke_result_t<Operation> Counted(Shard& shard, Room& room, Operation operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // The same; then, if all rooms together keep too much, has this one keep no more than its share.
  template <typename Operation>
  std::invoke_result_t<Operation> Accounted(Shard& shard, Room& room, Operation operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // Counts what a room that comes into the shard, or leaves it, holds.
  void CountIn(Shard& shard, const Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  void CountOut(Shard& shard, const Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  // Forgets events that are too old, then rooms that hold nothing. Returns how many users there are.
  size_t Sweep(int64_t now_ms);
  // Forgets all rooms without telling anybody but senders that wait for the log.
  void Clear();

  size_t rooms() const { return rooms_.load(std::memory_order_relaxed); }
  size_t recent_bytes() const { return recent_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kShards = 64;
  // How long what was read waits for the room to be made.
  static constexpr int64_t kReadForMs = 10'000;

  // What each room may keep now.
  size_t Share() const;
  void ShrinkToShare(Room& room);
  Room* MakeRead(Shard& shard, const RoomState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  RoomOptions options_;  // Constant from the constructor's end on.
  SendBudget budget_;
  const Ownership* const ownership_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<size_t> rooms_ = 0;
  std::atomic<size_t> recent_bytes_ = 0;
};

template <typename Operation>
std::invoke_result_t<Operation> RoomShards::Counted(Shard& shard, Room& room, Operation operation) {
  const size_t before = room.kept_bytes();
  const size_t places_before = room.places();
  const uint64_t happened_before = room.happened();
  auto result = operation();
  // Unsigned arithmetic: a decrease wraps around to a subtraction.
  shard.places.Add(room.places() - places_before);
  shard.events.Add(room.happened() - happened_before);
  recent_bytes_.fetch_add(room.kept_bytes() - before, std::memory_order_relaxed);
  return result;
}

template <typename Operation>
std::invoke_result_t<Operation> RoomShards::Accounted(Shard& shard, Room& room, Operation operation) {
  auto result = Counted(shard, room, std::move(operation));
  if (recent_bytes() > options_.max_recent_bytes) ShrinkToShare(room);
  return result;
}

}  // namespace hubbub::chat
