#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "chat/rooms/room.h"
#include "chat/rooms/room_shards.h"
#include "services/base/string_map.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

// Rooms of a table that go to other chat servers, and come from them. A room that is to go is frozen first:
// until it has arrived, everything that concerns it is ABORTED. Thread-safe.
class RoomMoves {
 public:
  // `shards` outlives this object.
  explicit RoomMoves(RoomShards& shards) : shards_(shards) {}

  // Stops serving the room and returns its state; nothing if it is not here, or is frozen already, or has
  // sends that wait for the log: then `*waits` is true, and new sends are ABORTED from now on: ask again, or
  // Thaw.
  std::optional<RoomState> Freeze(std::string_view room, bool* waits = nullptr);
  // The frozen room is at `server` now: tells its connectors, and forgets it.
  void Moved(std::string_view room, const std::string& server);
  // The room has stayed: it takes sends again.
  void Thaw(std::string_view room);
  // The room, which is not frozen, is another server's by now, or is to be read anew by this one: tells its
  // connectors, and forgets it. Senders who wait for the log are told too.
  void Lost(std::string_view room, const std::string& server);
  // Takes over a room that another chat server has frozen; `subscribers` has one for each place. An error
  // says why it was not taken. Importing the same life of the room again changes nothing. If this server has
  // another life of the room, because the two servers could not reach each other, it keeps its own life and
  // takes in the imported events, so that connectors can still restore places of the imported life.
  // If the room is frozen here, it has come back to this server: the import replaces the frozen room, and the
  // connectors of the frozen room are told to restore their places at `self`, this server.
  absl::Status Import(const RoomState& state, const std::vector<SubscriberPtr>& subscribers,
                      const std::string& self = {});

  // How many rooms have gone, and how many have come.
  uint64_t given() const { return given_.value(); }
  uint64_t taken() const { return taken_.value(); }

 private:
  using Shard = RoomShards::Shard;
  using Rooms = StringMap<std::unique_ptr<Room>>;

  int64_t Now() const { return shards_.options().now_ms(); }
  // Tells its connectors that it is at `server` now.
  void Forget(Shard& shard, Rooms& rooms, Rooms::iterator room, const std::string& server)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  RoomShards& shards_;
  metrics::Counter given_;
  metrics::Counter taken_;
};

}  // namespace hubbub::chat
