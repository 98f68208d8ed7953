#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/rooms/ownership.h"
#include "chat/rooms/room.h"
#include "chat/rooms/room_lines.h"
#include "chat/rooms/room_moves.h"
#include "chat/rooms/room_shards.h"
#include "services/metrics/counter.h"

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
// all who see two events of a room see them in the same order. Subscriber::Push is called with that lock
// held; no two shards are locked at once.
//
// A room begins with the first Add or Send and ends, in Sweep, when it has neither members nor recent
// messages; a room of the same name has another epoch afterwards. The table serves every room that it has;
// Ownership decides about a room that it does not have. A room that moves to another chat server is frozen
// first: until it has arrived there, everything that concerns it is ABORTED. Names and contents must have
// been checked (services/base/limits.h). Errors are sentences for the caller.
//
// With a log (Options::log) a send is proposed first and published later, through lines(); README.md, "With a
// log". A room that is not here is then read from the log before it is made, and the caller is told to come
// again.
class RoomTable {
 public:
  using Options = RoomOptions;

  // `ownership` outlives this object; null: every room is this server's.
  explicit RoomTable(Options options, const Ownership* ownership = nullptr)
      : shards_(std::move(options), ownership), lines_(shards_), moves_(shards_) {}
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
                                  std::string_view content, std::string_view id = {}, PlaceId sender = {},
                                  Gather* gather = nullptr, SendTicket* ticket = nullptr);
  // With a log: what is proposed in the rooms, for the writer of the log.
  RoomLines& lines() { return lines_; }
  const RoomLines& lines() const { return lines_; }
  // Rooms that go to other chat servers, and come from them.
  RoomMoves& moves() { return moves_; }
  // With a log: the room as the log has it, without places. Changes nothing if the room is here. If the room
  // may be made only from what connectors tell, it waits for them. An error says why this server may not have
  // it.
  absl::Status Open(const RoomState& state) { return shards_.Open(state); }
  // With a log: calls `done` when the room that an answer has said to be BeingRead may be asked for again.
  void WhenRead(std::string_view room, std::function<void()> done) {
    options().log->WhenRead(room, std::move(done));
  }
  // The events up to this offset were deleted. False if the room is on its way to another chat server, which
  // may get them.
  bool ForgetEvents(std::string_view room, uint64_t offset);
  // False if the room is yet to be read from the log, which this begins.
  bool HasOrReads(std::string_view room) { return shards_.HasOrReads(room); }
  // NOT_FOUND.
  absl::StatusOr<RoomInfo> Get(std::string_view room) const;

  // The `page_size` rooms that come after this name. Looks at every room: for operators, not for clients.
  RoomPage List(size_t page_size, std::string_view after) const;

  // Ends at most `max_places` places of a lease that has ended, and returns how many. Less than `max_places`:
  // there are no more. The caller paces, because every Left event goes to each of the other connectors.
  size_t DropSubscriber(uint64_t lease, size_t max_places);

  // Gives the places of one connector back to a room. FAILED_PRECONDITION when their lease has ended.
  absl::StatusOr<RestoreResult> Restore(std::string_view room, const RoomClaim& claim);

  // Makes a room that was lost with its chat server, from what connectors held of it: all places are back at
  // once, without an event. Answers each claim, in order. A room that is here already takes the claims in.
  absl::StatusOr<std::vector<RestoreResult>> Recover(std::string_view room, std::vector<RoomClaim> claims);
  // The same for a claim that comes after the recovery: a room that is not here is made if Ownership::MayMake
  // allows it.
  absl::StatusOr<RestoreResult> RecoverLate(std::string_view room, RoomClaim claim);

  // How many rooms each of `slots` slots has (services/base/slot.h), and the names of those in one of them.
  // Without the frozen ones.
  std::vector<size_t> CountBySlot(int slots) const;
  std::vector<std::string> InSlot(int slot, int slots) const;

  // Forgets all rooms without telling anybody but senders that wait for the log.
  void Clear() { shards_.Clear(); }

  // Forgets events that are too old, then rooms that hold nothing. Call it about once a second. `now_ms`: of
  // the clock of Options::now_ms.
  void Sweep(int64_t now_ms) { members_.store(shards_.Sweep(now_ms), std::memory_order_relaxed); }

  // Frozen ones too.
  size_t rooms() const { return shards_.rooms(); }
  // Users in all rooms but frozen ones, as the last Sweep has counted them.
  size_t members() const { return members_.load(std::memory_order_relaxed); }
  size_t recent_bytes() const { return shards_.recent_bytes(); }
  // What happens here, for metrics.
  struct Counts {
    uint64_t places = 0;    // Of sessions, now.
    uint64_t messages = 0;  // Events of this kind that rooms have had here,
    uint64_t presence = 0;  // and of users who have come or gone.
    uint64_t given = 0;     // Rooms that have gone to another chat server,
    uint64_t taken = 0;     // have come from one,
    uint64_t restored = 0;  // or have been recovered after one was lost.
  };
  Counts counts() const;

 private:
  using Shard = RoomShards::Shard;

  const RoomOptions& options() const { return shards_.options(); }
  int64_t Now() const { return options().now_ms(); }
  absl::StatusOr<std::vector<RestoreResult>> Recover(std::string_view room, std::vector<RoomClaim> claims,
                                                     RoomShards::Question question);

  // As FindOrMake, for connectors that bring members back.
  absl::StatusOr<Room*> FindOrRevive(Shard& shard, std::string_view room, RoomShards::Question question)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  RoomShards shards_;
  RoomLines lines_;
  RoomMoves moves_;
  std::atomic<size_t> members_ = 0;
  metrics::Counter restored_;
};

}  // namespace hubbub::chat
