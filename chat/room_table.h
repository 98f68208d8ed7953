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
  std::string next_token;          // Empty: this was the last page.
};

// Milliseconds since 1970 by the system's clock.
int64_t SystemNowMs();

// The rooms that this chat server owns. Knows nothing of gRPC or of other servers. Thread-safe: a room is
// guarded by the lock of its shard, under which an event gets its offset, is recorded and is pushed, so that
// all who see two events of a room see them in the same order. Lock order: a shard's lock, then whatever
// Subscriber::Push takes; never two shards.
//
// A room begins with the first Add or Send and ends, in Sweep, when it has neither members nor recent events;
// a room of the same name has another epoch afterwards. Names and contents must have been checked
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
    // Both are called from several threads at once.
    std::function<int64_t()> now_ms = SystemNowMs;
    std::function<uint64_t()> new_epoch = RandomId;  // 1 to 2^53 - 1.
  };

  explicit RoomTable(Options options) : options_(std::move(options)) {}
  RoomTable(const RoomTable&) = delete;
  RoomTable& operator=(const RoomTable&) = delete;

  // See Room for what these answer. Add is FAILED_PRECONDITION when the place's lease has ended.
  absl::StatusOr<AddResult> Add(std::string_view room, std::string_view user, Place place,
                                std::string_view resume_token, std::optional<SeenPoint> seen = {});
  absl::StatusOr<uint64_t> Kick(std::string_view room, std::string_view user);
  uint64_t KickPlace(std::string_view room, std::string_view user, PlaceId place);
  absl::StatusOr<SendResult> Send(std::string_view room, std::string_view from, std::string_view target,
                                  std::string_view content, std::string_view id = {});
  // NOT_FOUND.
  absl::StatusOr<RoomInfo> Get(std::string_view room) const;

  // The `page_size` rooms that come after `token` by name; the token is the last name of the page before.
  // Looks at every room: for operators, not for clients.
  RoomPage List(size_t page_size, std::string_view token) const;

  // Ends at most `max_places` places of a lease that has ended, and returns how many. Less than `max_places`:
  // there are no more. The caller paces, because every Left event goes to each of the other connectors.
  size_t DropSubscriber(uint64_t lease, size_t max_places);

  // Forgets events that are too old, then rooms that hold nothing. Call it about once a second.
  void Sweep(int64_t now_ms);

  size_t rooms() const { return rooms_.load(std::memory_order_relaxed); }
  size_t recent_bytes() const { return recent_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kShards = 64;
  // What a room keeps of its recent events while the server as a whole holds too many.
  static constexpr size_t kEventsKeptWhenFull = 16;

  struct alignas(64) Shard {
    mutable Mutex mu;
    LeaseIndex leases ABSL_GUARDED_BY(mu);
    StringMap<std::unique_ptr<Room>> rooms ABSL_GUARDED_BY(mu);
  };

  Shard& ShardOf(std::string_view room) const;
  static Room* Find(const Shard& shard, std::string_view room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  absl::StatusOr<Room*> FindOrCreate(Shard& shard, std::string_view room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  // Does `operation`, then settles what it did to the room's recent events with the bound of the server.
  template <typename Operation>
  std::invoke_result_t<Operation> Accounted(Room& room, Operation operation);

  const Options options_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<size_t> rooms_ = 0;
  std::atomic<size_t> recent_bytes_ = 0;
};

}  // namespace hubbub::chat
