#include "chat/rooms/room_shards.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fmt/format.h"
#include "services/base/stable_hash.h"

namespace hubbub::chat {

RoomShards::Shard& RoomShards::Of(std::string_view room) const {
  return shards_[StableHash(room) % kShards];
}

Room* RoomShards::Find(const Shard& shard, std::string_view room) {
  const auto it = shard.rooms.find(room);
  return it == shard.rooms.end() ? nullptr : it->second.get();
}

absl::Status RoomShards::WhyNotHere(const Shard& shard, std::string_view room) const {
  if (shard.frozen.contains(room)) {
    return absl::AbortedError(
        fmt::format("room \"{}\" is on its way to another chat server: try again soon", room));
  }
  if (absl::Status status = Ask(&Ownership::MayMake, room); !status.ok()) return status;
  return absl::NotFoundError(fmt::format("room \"{}\" does not exist: nobody is there", room));
}

absl::StatusOr<Room*> RoomShards::FindOrMake(Shard& shard, std::string_view room, Question question) {
  if (Room* const found = Find(shard, room)) return found;
  if (shard.frozen.contains(room)) return WhyNotHere(shard, room);
  if (absl::Status status = Ask(question, room); !status.ok()) return status;
  if (rooms_.fetch_add(1, std::memory_order_relaxed) >= options_.max_rooms) {
    rooms_.fetch_sub(1, std::memory_order_relaxed);
    return absl::ResourceExhaustedError(
        fmt::format("room \"{}\" cannot be made: this chat server holds {} rooms, the most allowed", room,
                    options_.max_rooms));
  }
  if (options_.log != nullptr) {
    rooms_.fetch_sub(1, std::memory_order_relaxed);
    if (const auto read = shard.read.find(room); read != shard.read.end()) {
      const RoomState state = std::move(read->second.state);
      shard.read.erase(read);
      return MakeRead(shard, state);
    }
    if (options_.log->Load(room)) return BeingRead(room);
    return absl::AbortedError(
        fmt::format("room \"{}\" cannot be read from the store yet: try again soon", room));
  }
  auto& slot = shard.rooms[std::string(room)];
  slot = NewRoom(shard, room, options_.new_epoch());
  return slot.get();
}

absl::Status RoomShards::Open(const RoomState& state) {
  Shard& shard = Of(state.room);
  MutexLock lock(shard.mu);
  if (Find(shard, state.room) != nullptr) return absl::OkStatus();
  if (shard.frozen.contains(state.room)) return WhyNotHere(shard, state.room);
  if (Ask(&Ownership::MayMake, state.room).ok()) {
    MakeRead(shard, state);
    return absl::OkStatus();
  }
  if (absl::Status status = Ask(&Ownership::MayRecover, state.room); !status.ok()) return status;
  // Its members come back first.
  shard.read[state.room] = {.state = state, .since_ms = options_.now_ms()};
  return absl::OkStatus();
}

Room* RoomShards::MakeRead(Shard& shard, const RoomState& state) {
  auto& slot = shard.rooms[state.room];
  slot = NewRoom(shard, state.room, state.epoch);
  slot->Adopt(state, {}, options_.now_ms());
  CountIn(shard, *slot);
  return slot.get();
}

bool RoomShards::HasOrReads(std::string_view room) {
  if (options_.log == nullptr) return true;
  const Shard& shard = Of(room);
  MutexLock lock(shard.mu);
  if (Find(shard, room) != nullptr || shard.frozen.contains(room) || shard.read.contains(room)) return true;
  return !Ask(&Ownership::MayRecover, room).ok() || !options_.log->Load(room);
}

std::unique_ptr<Room> RoomShards::NewRoom(Shard& shard, std::string_view room, uint64_t epoch) {
  const uint64_t life = options_.log == nullptr ? 0 : options_.new_epoch();
  return std::make_unique<Room>(std::string(room), epoch, options_.room, shard.leases, life);
}

void RoomShards::CountIn(Shard& shard, const Room& room) {
  rooms_.fetch_add(1, std::memory_order_relaxed);
  recent_bytes_.fetch_add(room.kept_bytes(), std::memory_order_relaxed);
  shard.places.Add(room.places());
}

void RoomShards::CountOut(Shard& shard, const Room& room) {
  rooms_.fetch_sub(1, std::memory_order_relaxed);
  recent_bytes_.fetch_sub(room.kept_bytes(), std::memory_order_relaxed);
  shard.places.Subtract(room.places());
}

size_t RoomShards::Share() const {
  return recent_bytes() > options_.max_recent_bytes ? options_.max_recent_bytes / std::max<size_t>(rooms(), 1)
                                                    : std::numeric_limits<size_t>::max();
}

void RoomShards::ShrinkToShare(Room& room) {
  const size_t full = room.kept_bytes();
  room.ShrinkTo(Share());
  recent_bytes_.fetch_sub(full - room.kept_bytes(), std::memory_order_relaxed);
}

size_t RoomShards::Sweep(int64_t now_ms) {
  size_t users = 0;
  const bool full = recent_bytes() > options_.max_recent_bytes;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    absl::erase_if(shard.read,
                   [now_ms](const auto& entry) { return now_ms - entry.second.since_ms > kReadForMs; });
    for (auto it = shard.rooms.begin(); it != shard.rooms.end();) {
      const auto current = it++;
      Room& room = *current->second;
      if (room.expires()) {
        Counted(shard, room, [&] {
          room.Expire(now_ms);
          return 0;
        });
        if (full) ShrinkToShare(room);
      }
      users += room.users();
      if (!room.forgotten()) continue;
      CountOut(shard, room);
      shard.rooms.erase(current);
    }
  }
  return users;
}

void RoomShards::Clear() {
  std::vector<SendOutcome> outcomes;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (Room* const room : shard.waiting) {
      room->messages().RefuseAll(absl::UnknownError("the room was closed before the store had the message"),
                                 absl::AbortedError("the room was closed: try again soon"), outcomes);
    }
    shard.waiting.clear();
    for (auto* rooms : {&shard.rooms, &shard.frozen}) {
      for (const auto& [name, room] : *rooms) CountOut(shard, *room);
      rooms->clear();
    }
    shard.read.clear();
    shard.leases = {};
  }
  Gather gather;
  Tell(outcomes, gather);
}

}  // namespace hubbub::chat
