#include "chat/rooms/room_lines.h"

#include "fmt/format.h"

namespace hubbub::chat {

bool RoomLines::Take(std::string_view room, size_t max_events, size_t max_bytes, std::vector<Taken>& taken) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  Room* const found = RoomShards::Find(shard, room);
  if (found == nullptr) return false;
  found->messages().Take(max_events, max_bytes, shards_.options().now_ms(), taken);
  return found->messages().unnumbered() > 0;
}

void RoomLines::Publish(std::string_view room, uint64_t up_to, Gather& gather) {
  std::vector<SendOutcome> outcomes;
  {
    Shard& shard = shards_.Of(room);
    MutexLock lock(shard.mu);
    Room* const found = RoomShards::Find(shard, room);
    if (found == nullptr) return;
    const uint64_t before = found->offset();
    shards_.Accounted(shard, *found, [&] {
      found->messages().Publish(up_to, gather, outcomes);
      return 0;
    });
    shard.messages.Add(found->offset() - before);
    Settle(shard, *found);
  }
  Tell(outcomes, gather);
}

void RoomLines::PutBack(std::string_view room) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  if (Room* const found = RoomShards::Find(shard, room)) found->messages().PutBack();
}

void RoomLines::RefuseFirst(std::string_view room, const absl::Status& why, Gather& gather) {
  std::vector<SendOutcome> outcomes;
  {
    Shard& shard = shards_.Of(room);
    MutexLock lock(shard.mu);
    Room* const found = RoomShards::Find(shard, room);
    if (found == nullptr) return;
    found->messages().RefuseFirst(why, outcomes);
    Settle(shard, *found);
  }
  Tell(outcomes, gather);
}

void RoomLines::Refuse(std::string_view room, const absl::Status& taken, const absl::Status& rest,
                       Gather& gather) {
  std::vector<SendOutcome> outcomes;
  {
    Shard& shard = shards_.Of(room);
    MutexLock lock(shard.mu);
    Room* const found = RoomShards::Find(shard, room);
    if (found == nullptr || found->messages().waiting() == 0) return;
    found->messages().RefuseAll(taken, rest, outcomes);
    found->messages().Close();
    Settle(shard, *found);
  }
  Tell(outcomes, gather);
  Reopen(room);
}

void RoomLines::GiveUp(int64_t before_ms, const absl::Status& why, Gather& gather) {
  const auto not_known = absl::UnknownError(
      "the store has not answered yet, so the message may be kept or not: send it again with the same id");
  for (Shard& shard : shards_.all()) {
    std::vector<SendOutcome> outcomes;
    std::vector<std::string> closed;
    {
      MutexLock lock(shard.mu);
      const std::vector<Room*> waiting(shard.waiting.begin(), shard.waiting.end());
      for (Room* const room : waiting) {
        RoomMessages& messages = room->messages();
        messages.GiveUp(before_ms, not_known, outcomes);
        if (messages.unnumbered() == 0 || messages.oldest_unnumbered_ms() >= before_ms) continue;
        messages.RefuseUnnumbered(why, outcomes);
        messages.Close();
        closed.push_back(room->name());
        Settle(shard, *room);
      }
    }
    Tell(outcomes, gather);
    for (const std::string& room : closed) Reopen(room);
  }
}

std::vector<std::string> RoomLines::Waiting() const {
  std::vector<std::string> rooms;
  for (Shard& shard : shards_.all()) {
    MutexLock lock(shard.mu);
    for (const Room* room : shard.waiting) rooms.push_back(room->name());
  }
  return rooms;
}

void RoomLines::Settle(Shard& shard, Room& room) {
  if (room.messages().waiting() == 0) shard.waiting.erase(&room);
}

void RoomLines::Reopen(std::string_view room) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  if (Room* const found = RoomShards::Find(shard, room)) found->messages().Reopen();
}

}  // namespace hubbub::chat
