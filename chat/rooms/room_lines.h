#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "chat/rooms/room_messages.h"
#include "chat/rooms/room_shards.h"

namespace hubbub::chat {

// What is proposed in the rooms of a table, for the writer of the log. For one room it is used by one
// thread at a time, but for GiveUp. Rooms that are not here are passed over. Those who wait for a send are
// told without a lock held, in each room in the order of its line; one who was refused is told before the
// room takes another send. Thread-safe.
class RoomLines {
 public:
  using Taken = RoomMessages::Taken;

  // `shards` outlives this object.
  explicit RoomLines(RoomShards& shards) : shards_(shards) {}

  // Numbers the room's next proposals behind those that are numbered, and adds them to `taken`: at most
  // `max_events`, with no more than `max_bytes` of text. True if others wait.
  bool Take(std::string_view room, size_t max_events, size_t max_bytes, std::vector<Taken>& taken);
  // The log has what was taken, up to this offset: it is published. Call it in the order of the offsets.
  void Publish(std::string_view room, uint64_t up_to, Gather& gather);
  // The log has nothing of what was taken, and nobody else's: it waits for another batch.
  void PutBack(std::string_view room);
  // Only the first proposal is refused.
  void RefuseFirst(std::string_view room, const absl::Status& why, Gather& gather);
  // The whole line is refused: `taken` is said of what was taken, `rest` of what is behind it. An error other
  // than UNKNOWN says that nothing has happened.
  void Refuse(std::string_view room, const absl::Status& taken, const absl::Status& rest, Gather& gather);
  // For all rooms. Senders of what was taken, and was proposed before `before_ms`, get UNKNOWN; what becomes
  // of it is not changed. If the first of what was not taken is as old, all behind it is refused with `why`,
  // the younger too, because it must not overtake what its sender sends again.
  void GiveUp(int64_t before_ms, const absl::Status& why, Gather& gather);

  // The rooms that have proposals.
  std::vector<std::string> Waiting() const;
  // How many sends wait, and their memory.
  const SendBudget& budget() const { return shards_.budget(); }

 private:
  using Shard = RoomShards::Shard;

  // Nobody waits in the room any more, perhaps.
  static void Settle(Shard& shard, Room& room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);
  void Reopen(std::string_view room);

  RoomShards& shards_;
};

}  // namespace hubbub::chat
