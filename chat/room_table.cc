#include "chat/room_table.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/stable_hash.h"

namespace hubbub::chat {

absl::Status LeaseHasEnded(const Subscriber& subscriber) {
  return absl::FailedPreconditionError(fmt::format("lease {} of connector \"{}\" has ended: subscribe again",
                                                   subscriber.lease(), subscriber.connector()));
}

absl::StatusOr<AddResult> RoomTable::Add(std::string_view room, std::string_view user, Place place,
                                         std::string_view resume_token, std::optional<SeenPoint> seen) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  // Asked under the lock: DropSubscriber, which follows the end of a lease, takes it too.
  if (place.subscriber->ended()) return LeaseHasEnded(*place.subscriber);
  const absl::StatusOr<Room*> found = FindOrCreate(shard, room, options_.claim);
  if (!found.ok()) return found.status();
  return Accounted(shard, **found, [&] {
    return (*found)->Add(user, std::move(place), resume_token, options_.duplicate_user, options_.now_ms(),
                         seen);
  });
}

absl::StatusOr<uint64_t> RoomTable::Kick(std::string_view room, std::string_view user) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  Room* const found = Find(shard, room);
  if (found == nullptr) return WhyNotHere(shard, room);
  return Accounted(shard, *found, [&] { return found->Kick(user, options_.now_ms()); });
}

absl::StatusOr<uint64_t> RoomTable::KickPlace(std::string_view room, std::string_view user, PlaceId place,
                                              std::optional<KeepName> keep) {
  // Who comes without the token is let in anyway.
  if (options_.duplicate_user != DuplicateUser::kRefuse) keep.reset();
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  Room* const found = Find(shard, room);
  // Until it has arrived elsewhere, the place may come back with it.
  if (found == nullptr && shard.frozen.contains(room)) return WhyNotHere(shard, room);
  if (found == nullptr) return 0;
  return Accounted(shard, *found, [&] { return found->KickPlace(user, place, options_.now_ms(), keep); });
}

absl::StatusOr<SendResult> RoomTable::Send(std::string_view room, std::string_view from,
                                           std::string_view target, std::string_view content,
                                           std::string_view id, PlaceId sender) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  Room* found = Find(shard, room);
  if (found == nullptr) {
    if (target != kEverybody) return WhyNotHere(shard, room);
    if (sender.lease != 0) {
      const absl::Status why = WhyNotHere(shard, room);
      return absl::IsNotFound(why) ? absl::PermissionDeniedError(why.message()) : why;
    }
    const absl::StatusOr<Room*> created = FindOrCreate(shard, room, options_.claim);
    if (!created.ok()) return created.status();
    found = *created;
  }
  const uint64_t before = found->offset();
  auto sent = Accounted(shard, *found,
                        [&] { return found->Send(from, target, content, options_.now_ms(), id, sender); });
  shard.messages.Add(found->offset() - before);
  return sent;
}

absl::StatusOr<RoomInfo> RoomTable::Get(std::string_view room) const {
  const Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  const Room* const found = Find(shard, room);
  if (found == nullptr) return WhyNotHere(shard, room);
  return found->Info();
}

RoomPage RoomTable::List(size_t page_size, std::string_view after) const {
  const auto by_name = [](const RoomSummary& a, const RoomSummary& b) { return a.room < b.room; };
  // A heap of the first names seen so far, the last of them on top; one more than the page tells if another
  // one follows.
  std::vector<RoomSummary> first;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (const auto& [name, room] : shard.rooms) {
      if (std::string_view(name) <= after) continue;
      if (first.size() > page_size) {
        if (name > first.front().room) continue;
        std::pop_heap(first.begin(), first.end(), by_name);
        first.pop_back();
      }
      first.push_back({.room = name, .members = room->users(), .offset = room->offset()});
      std::push_heap(first.begin(), first.end(), by_name);
    }
  }
  std::sort_heap(first.begin(), first.end(), by_name);
  const bool more = first.size() > page_size;
  if (more) first.resize(page_size);
  return {.rooms = std::move(first), .more = more};
}

size_t RoomTable::DropSubscriber(uint64_t lease, size_t max_places) {
  size_t dropped = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    while (dropped < max_places) {
      Room* const room = shard.leases.Any(lease);
      if (room == nullptr) break;
      dropped +=
          Accounted(shard, *room, [&] { return room->Drop(lease, max_places - dropped, options_.now_ms()); });
    }
  }
  return dropped;
}

void RoomTable::Sweep(int64_t now_ms) {
  size_t members = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (auto it = shard.rooms.begin(); it != shard.rooms.end();) {
      const auto current = it++;
      Room& room = *current->second;
      if (!room.forgotten()) {
        const size_t before = room.kept_bytes();
        room.Expire(now_ms);
        recent_bytes_.fetch_sub(before - room.kept_bytes(), std::memory_order_relaxed);
      }
      members += room.users();
      if (room.users() > 0 || !room.forgotten()) continue;
      shard.rooms.erase(current);
      rooms_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  members_.store(members, std::memory_order_relaxed);
}

RoomTable::Counts RoomTable::counts() const {
  Counts counts{.given = given_.value(), .taken = taken_.value(), .restored = restored_.value()};
  for (const Shard& shard : shards_) {
    counts.places += shard.places.value();
    // Messages first: each of them is among the events by then.
    const uint64_t messages = shard.messages.value();
    counts.messages += messages;
    counts.presence += shard.events.value() - messages;
  }
  return counts;
}

RoomTable::Shard& RoomTable::ShardOf(std::string_view room) const {
  return shards_[StableHash(room) % kShards];
}

Room* RoomTable::Find(const Shard& shard, std::string_view room) {
  const auto it = shard.rooms.find(room);
  return it == shard.rooms.end() ? nullptr : it->second.get();
}

absl::StatusOr<Room*> RoomTable::FindOrCreate(Shard& shard, std::string_view room,
                                              const ClaimCheck& may_have) {
  if (Room* const found = Find(shard, room)) return found;
  if (shard.frozen.contains(room)) return WhyNotHere(shard, room);
  if (may_have) {
    if (absl::Status status = may_have(room); !status.ok()) return status;
  }
  if (rooms_.fetch_add(1, std::memory_order_relaxed) >= options_.max_rooms) {
    rooms_.fetch_sub(1, std::memory_order_relaxed);
    return absl::ResourceExhaustedError(
        fmt::format("room \"{}\" can not be made: this chat server holds {} rooms, the most allowed", room,
                    options_.max_rooms));
  }
  auto& slot = shard.rooms[std::string(room)];
  slot = NewRoom(shard, room, options_.new_epoch());
  return slot.get();
}

std::unique_ptr<Room> RoomTable::NewRoom(Shard& shard, std::string_view room, uint64_t epoch) {
  return std::make_unique<Room>(std::string(room), epoch, options_.room, shard.leases);
}

absl::Status RoomTable::WhyNotHere(const Shard& shard, std::string_view room) const {
  if (shard.frozen.contains(room)) {
    return absl::AbortedError(
        fmt::format("room \"{}\" is on its way to another chat server: try again soon", room));
  }
  if (options_.claim) {
    if (absl::Status status = options_.claim(room); !status.ok()) return status;
  }
  return absl::NotFoundError(fmt::format("room \"{}\" does not exist: nobody is there", room));
}

}  // namespace hubbub::chat
