// Rooms that come from other chat servers, go to them, or come back from what the connectors remember.
#include <algorithm>
#include <utility>

#include "chat/room_table.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// The lives that the claims know, with the events of all who have had any of them.
EarlierLives Union(const std::vector<RoomClaim>& claims) {
  EarlierLives lives;
  for (const RoomClaim& claim : claims) {
    auto& events = lives[claim.epoch];
    for (const EventPtr& event : claim.recent_events) {
      if (event->epoch == claim.epoch) events.emplace(event->offset, event);
    }
  }
  return lives;
}

}  // namespace

RestoreResult RoomTable::RestoreLocked(Shard& shard, Room& room, const RoomClaim& claim) {
  return Accounted(shard, room,
                   [&] { return room.Restore(claim, options_.duplicate_user, options_.now_ms()); });
}

absl::StatusOr<RestoreResult> RoomTable::Restore(std::string_view room, const RoomClaim& claim) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  if (claim.subscriber->ended()) return LeaseHasEnded(*claim.subscriber);
  const absl::StatusOr<Room*> found = FindOrCreate(shard, room, options_.claim);
  if (!found.ok()) return found.status();
  return RestoreLocked(shard, **found, claim);
}

absl::StatusOr<std::vector<RestoreResult>> RoomTable::Recover(std::string_view room,
                                                              std::vector<RoomClaim> claims,
                                                              const ClaimCheck& may_have) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  const bool is_new = Find(shard, room) == nullptr;
  const absl::StatusOr<Room*> found = FindOrCreate(shard, room, may_have ? may_have : options_.claim);
  if (!found.ok()) return found.status();
  if (is_new) restored_.Add();
  Accounted(shard, **found, [&] {
    for (const RoomClaim& claim : claims) (*found)->ShowNoTimeBefore(claim.time_ms);
    (*found)->GoOnFrom(Union(claims), options_.now_ms());
    return 0;
  });
  std::vector<RestoreResult> results(claims.size());
  for (size_t i = 0; i < claims.size(); ++i) {
    // Its connector is gone again; nobody waits for this answer.
    if (!claims[i].subscriber->ended()) results[i] = RestoreLocked(shard, **found, claims[i]);
  }
  // Everybody is told of everybody.
  for (size_t i = 0; i < claims.size(); ++i) {
    if (claims[i].subscriber->ended()) continue;
    claims[i].places.clear();
    std::vector<uint32_t> replaced = std::move(results[i].replaced);
    results[i] = RestoreLocked(shard, **found, claims[i]);
    results[i].replaced = std::move(replaced);
  }
  return results;
}

std::vector<std::string> RoomTable::Find(size_t most,
                                         const std::function<bool(std::string_view room)>& matches) const {
  std::vector<std::string> found;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (const auto& [name, room] : shard.rooms) {
      if (found.size() >= most) return found;
      if (matches(name)) found.push_back(name);
    }
  }
  return found;
}

std::optional<RoomState> RoomTable::Freeze(std::string_view room) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  const auto it = shard.rooms.find(room);
  if (it == shard.rooms.end()) return std::nullopt;
  std::unique_ptr<Room> frozen = std::move(it->second);
  shard.rooms.erase(it);
  frozen->Unsettle();
  RoomState state = frozen->State(options_.now_ms());
  shard.frozen.emplace(state.room, std::move(frozen));
  return state;
}

void RoomTable::Moved(std::string_view room, const std::string& server) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  const auto it = shard.frozen.find(room);
  if (it == shard.frozen.end()) return;
  it->second->PushMoved(server);
  recent_bytes_.fetch_sub(it->second->kept_bytes(), std::memory_order_relaxed);
  rooms_.fetch_sub(1, std::memory_order_relaxed);
  shard.places.Subtract(it->second->places());
  given_.Add();
  shard.frozen.erase(it);
}

void RoomTable::Thaw(std::string_view room, bool certain, const std::string& self) {
  Shard& shard = ShardOf(room);
  MutexLock lock(shard.mu);
  const auto it = shard.frozen.find(room);
  if (it == shard.frozen.end()) return;
  std::unique_ptr<Room> thawed = std::move(it->second);
  shard.frozen.erase(it);
  const int64_t now_ms = options_.now_ms();
  if (!certain) {
    // The other server may go on with this life.
    RoomState state = thawed->State(now_ms);
    std::vector<SubscriberPtr> subscribers = thawed->Subscribers();
    recent_bytes_.fetch_sub(thawed->kept_bytes(), std::memory_order_relaxed);
    shard.places.Subtract(thawed->places());
    const std::unique_ptr<Room> before = std::exchange(thawed, NewRoom(shard, room, options_.new_epoch()));
    state.offset = 0;
    state.recent_events.clear();
    thawed->Adopt(state, subscribers, now_ms);
    recent_bytes_.fetch_add(thawed->kept_bytes(), std::memory_order_relaxed);
    shard.places.Add(thawed->places());
    before->PushMoved(self);
  }
  Accounted(shard, *thawed, [&] {
    thawed->Settle(now_ms);
    return 0;
  });
  shard.rooms.emplace(std::string(room), std::move(thawed));
}

absl::Status RoomTable::Import(const RoomState& state, const std::vector<SubscriberPtr>& subscribers,
                               const ClaimCheck& may_take) {
  Shard& shard = ShardOf(state.room);
  MutexLock lock(shard.mu);
  if (shard.frozen.contains(state.room)) return WhyNotHere(shard, state.room);
  // Asked under the lock, so that Find, which looks for rooms of others, sees the room or the table that
  // refuses it.
  if (may_take && Find(shard, state.room) == nullptr) {
    if (absl::Status status = may_take(state.room); !status.ok()) return status;
  }
  const int64_t now_ms = options_.now_ms();
  auto& slot = shard.rooms[state.room];
  if (slot == nullptr) {
    slot = NewRoom(shard, state.room, state.epoch);
    slot->Adopt(state, subscribers, now_ms);
    rooms_.fetch_add(1, std::memory_order_relaxed);
    recent_bytes_.fetch_add(slot->kept_bytes(), std::memory_order_relaxed);
    shard.places.Add(slot->places());
    taken_.Add();
  } else if (slot->epoch() != state.epoch) {
    EarlierLives earlier = state.earlier;
    for (const EventPtr& event : state.recent_events) earlier[state.epoch].emplace(event->offset, event);
    Accounted(shard, *slot, [&] {
      slot->ShowNoTimeBefore(state.time_ms);
      slot->GoOnFrom(earlier, now_ms);
      return 0;
    });
  }
  return absl::OkStatus();
}

void RoomTable::Clear() {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mu);
    for (auto* rooms : {&shard.rooms, &shard.frozen}) {
      for (const auto& [name, room] : *rooms) {
        recent_bytes_.fetch_sub(room->kept_bytes(), std::memory_order_relaxed);
        shard.places.Subtract(room->places());
      }
      rooms_.fetch_sub(rooms->size(), std::memory_order_relaxed);
      rooms->clear();
    }
    shard.leases = {};
  }
}

}  // namespace hubbub::chat
