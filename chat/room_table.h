#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/random_id.h"
#include "chat/room.h"
#include "services/clock.h"
#include "services/metrics/counter.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::chat {

struct RoomSummary {
  std::string room;
  size_t members = 0;  // Users.
  uint64_t offset = 0;
};

struct RoomPage {
  std::vector<RoomSummary> rooms;  // By name.
  bool more = false;               // Others follow.
};

// FAILED_PRECONDITION, in words.
absl::Status LeaseHasEnded(const Subscriber& subscriber);

// The rooms that this chat server owns. Knows nothing of gRPC or of other servers. Thread-safe: a room is
// guarded by the lock of its shard, under which an event gets its offset, is recorded and is pushed, so that
// all who see two events of a room see them in the same order. Lock order: a shard's lock, then whatever
// Subscriber::Push takes; never two shards.
//
// A room begins with the first Add or Send and ends, in Sweep, when it has neither members nor recent events;
// a room of the same name has another epoch afterwards. It is served by whoever has it: only for a room that
// is not here does `claim` decide. A room that moves to another chat server is frozen first: until it has
// arrived there, everything that concerns it is ABORTED. Names and contents must have been checked
// (services/limits.h). Errors are sentences for whoever called.
class RoomTable {
 public:
  struct Options {
    DuplicateUser duplicate_user = DuplicateUser::kRefuse;
    Room::Limits room;
    // At this many rooms, Add and Send to a new one answer RESOURCE_EXHAUSTED.
    size_t max_rooms = 1'000'000;
    // Memory of all recent events. Above it, each room that has a new event keeps its newest few alone.
    size_t max_recent_bytes = size_t{512} << 20;
    // Both are called from several threads at once. `now_ms`: ages are judged by it.
    std::function<int64_t()> now_ms = SteadyNowMs;
    std::function<uint64_t()> new_epoch = RandomId;  // 1 to 2^53 - 1.
    // OK if this server may have a room that is not here; otherwise what the caller gets. Called with a
    // shard's lock held: must not block, nor call back. Empty: always OK.
    std::function<absl::Status(std::string_view room)> claim = {};  // A ClaimCheck.
  };

  using ClaimCheck = std::function<absl::Status(std::string_view room)>;

  explicit RoomTable(Options options) : options_(std::move(options)) {}
  RoomTable(const RoomTable&) = delete;
  RoomTable& operator=(const RoomTable&) = delete;

  // See Room for what these answer. Add is FAILED_PRECONDITION when the place's lease has ended.
  absl::StatusOr<AddResult> Add(std::string_view room, std::string_view user, Place place,
                                std::string_view resume_token, std::optional<SeenPoint> seen = {});
  absl::StatusOr<uint64_t> Kick(std::string_view room, std::string_view user);
  // ABORTED while the room is frozen.
  absl::StatusOr<uint64_t> KickPlace(std::string_view room, std::string_view user, PlaceId place,
                                     std::optional<KeepName> keep = {});
  absl::StatusOr<SendResult> Send(std::string_view room, std::string_view from, std::string_view target,
                                  std::string_view content, std::string_view id = {}, PlaceId sender = {});
  // NOT_FOUND.
  absl::StatusOr<RoomInfo> Get(std::string_view room) const;

  // The `page_size` rooms that come after this name. Looks at every room: for operators, not for clients.
  RoomPage List(size_t page_size, std::string_view after) const;

  // Ends at most `max_places` places of a lease that has ended, and returns how many. Less than `max_places`:
  // there are no more. The caller paces, because every Left event goes to each of the other connectors.
  size_t DropSubscriber(uint64_t lease, size_t max_places);

  // Gives the places of one connector back to a room. FAILED_PRECONDITION when their lease has ended.
  absl::StatusOr<RestoreResult> Restore(std::string_view room, const RoomClaim& claim);

  // Begins a new life of a room that was lost with its chat server, from what connectors had of it: all
  // places are back at once, and no event tells so. Answers each claim, in order. If the room is here
  // already, it takes them in. `may_have`, if not empty, is asked instead of Options::claim.
  absl::StatusOr<std::vector<RestoreResult>> Recover(std::string_view room, std::vector<RoomClaim> claims,
                                                     const ClaimCheck& may_have = {});

  // The names of at most `most` rooms that `matches`.
  std::vector<std::string> Find(size_t most, const std::function<bool(std::string_view room)>& matches) const;

  // Stops serving the room and answers all that it is; nothing if it is not here, or is frozen already.
  std::optional<RoomState> Freeze(std::string_view room);
  // The frozen room is at `server` now: tells its connectors, and forgets it.
  void Moved(std::string_view room, const std::string& server);
  // The frozen room has stayed. If it is not `certain` that the other server has not taken it, it begins a
  // new life, and its connectors are told to restore their places in it, at this server: `self`.
  void Thaw(std::string_view room, bool certain, const std::string& self);
  // Takes over a room that another chat server has frozen; `subscribers` has one for each place. An error
  // says why it was not taken: `may_take`, if not empty, decides that for a room that is not here. The same
  // life of the room once more changes nothing. If another life is here, because the two servers could not
  // reach each other, that stays, and goes on from the one that has come: whoever restores a place in it is
  // taken in.
  absl::Status Import(const RoomState& state, const std::vector<SubscriberPtr>& subscribers,
                      const ClaimCheck& may_take = {});

  // Forgets all rooms without telling anybody.
  void Clear();

  // Forgets events that are too old, then rooms that hold nothing. Call it about once a second. `now_ms`: of
  // the clock of Options::now_ms.
  void Sweep(int64_t now_ms);

  // Frozen ones too.
  size_t rooms() const { return rooms_.load(std::memory_order_relaxed); }
  // Users in all rooms but frozen ones, as the last Sweep has counted them.
  size_t members() const { return members_.load(std::memory_order_relaxed); }
  size_t recent_bytes() const { return recent_bytes_.load(std::memory_order_relaxed); }
  // What happens here, for metrics.
  struct Counts {
    uint64_t places = 0;    // Of sessions, now.
    uint64_t messages = 0;  // Events of this kind that rooms have had here,
    uint64_t presence = 0;  // and of users who have come or gone.
    uint64_t given = 0;     // Rooms that have gone to another chat server,
    uint64_t taken = 0;     // have come from one,
    uint64_t restored = 0;  // or have begun anew after one was lost.
  };
  Counts counts() const;

 private:
  static constexpr size_t kShards = 64;
  // What a room keeps of its recent events while the server as a whole holds too many.
  static constexpr size_t kEventsKeptWhenFull = 16;

  struct alignas(64) Shard {
    mutable Mutex mu;
    LeaseIndex leases ABSL_GUARDED_BY(mu);
    StringMap<std::unique_ptr<Room>> rooms ABSL_GUARDED_BY(mu);
    StringMap<std::unique_ptr<Room>> frozen ABSL_GUARDED_BY(mu);
    // Written with mu held, read without.
    SingleWriterNumber places;
    SingleWriterNumber events;
    SingleWriterNumber messages;  // Of the events.
  };

  Shard& ShardOf(std::string_view room) const;
  // Why a room that is not here can not be had: it is frozen, another server's, or nobody's.
  absl::Status WhyNotHere(const Shard& shard, std::string_view room) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  static Room* Find(const Shard& shard, std::string_view room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  std::unique_ptr<Room> NewRoom(Shard& shard, std::string_view room, uint64_t epoch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  RestoreResult RestoreLocked(Shard& shard, Room& room, const RoomClaim& claim)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  absl::StatusOr<Room*> FindOrCreate(Shard& shard, std::string_view room, const ClaimCheck& may_have)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // Does `operation`, then counts what it did to the room, and settles the room's recent events with the
  // bound of the server.
  template <typename Operation>
  std::invoke_result_t<Operation> Accounted(Shard& shard, Room& room, Operation operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  const Options options_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<size_t> rooms_ = 0;
  std::atomic<size_t> members_ = 0;
  std::atomic<size_t> recent_bytes_ = 0;
  Counter given_;
  Counter taken_;
  Counter restored_;
};

template <typename Operation>
std::invoke_result_t<Operation> RoomTable::Accounted(Shard& shard, Room& room, Operation operation) {
  const size_t before = room.kept_bytes();
  const size_t places_before = room.places();
  const uint64_t offset_before = room.offset();
  auto result = operation();
  // Unsigned arithmetic: what has become less wraps around to a subtraction.
  shard.places.Add(room.places() - places_before);
  shard.events.Add(room.offset() - offset_before);
  const size_t change = room.kept_bytes() - before;
  const size_t total = recent_bytes_.fetch_add(change, std::memory_order_relaxed) + change;
  if (total > options_.max_recent_bytes) {
    const size_t full = room.kept_bytes();
    room.DropOldest(kEventsKeptWhenFull);
    recent_bytes_.fetch_sub(full - room.kept_bytes(), std::memory_order_relaxed);
  }
  return result;
}

}  // namespace hubbub::chat
