#include "chat/rooms/room_moves.h"

#include <utility>

#include "absl/status/status.h"

namespace hubbub::chat {

std::optional<RoomState> RoomMoves::Freeze(std::string_view room, bool* waits) {
  if (waits != nullptr) *waits = false;
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  shard.read.erase(room);
  const auto it = shard.rooms.find(room);
  if (it == shard.rooms.end()) return std::nullopt;
  it->second->messages().CloseToMove(true);
  if (!it->second->messages().idle()) {
    if (waits != nullptr) *waits = true;
    return std::nullopt;
  }
  std::unique_ptr<Room> frozen = std::move(it->second);
  shard.rooms.erase(it);
  frozen->Unsettle();
  RoomState state = frozen->State(Now());
  shard.frozen.emplace(state.room, std::move(frozen));
  return state;
}

void RoomMoves::Moved(std::string_view room, const std::string& server) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  const auto it = shard.frozen.find(room);
  if (it == shard.frozen.end()) return;
  given_.Add();
  Forget(shard, shard.frozen, it, server);
}

void RoomMoves::Forget(Shard& shard, Rooms& rooms, Rooms::iterator room, const std::string& server) {
  room->second->PushMoved(server);
  shards_.CountOut(shard, *room->second);
  room->second->Unsettle();
  rooms.erase(room);
}

void RoomMoves::Thaw(std::string_view room) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  if (Room* const here = shards_.Find(shard, room)) here->messages().CloseToMove(false);
  const auto it = shard.frozen.find(room);
  if (it == shard.frozen.end()) return;
  std::unique_ptr<Room> thawed = std::move(it->second);
  shard.frozen.erase(it);
  thawed->messages().CloseToMove(false);
  shards_.Accounted(shard, *thawed, [&] {
    thawed->Settle(Now());
    return 0;
  });
  shard.rooms.emplace(std::string(room), std::move(thawed));
}

void RoomMoves::Lost(std::string_view room, const std::string& server) {
  std::vector<SendOutcome> outcomes;
  {
    Shard& shard = shards_.Of(room);
    MutexLock lock(shard.mu);
    shard.read.erase(room);
    const auto it = shard.rooms.find(room);
    if (it == shard.rooms.end()) return;
    it->second->messages().RefuseAll(
        absl::UnknownError("the room went to another chat server while the message was being kept: send it "
                           "again with the same "
                           "id"),
        absl::AbortedError("the room has gone to another chat server: try again soon"), outcomes);
    shard.waiting.erase(it->second.get());
    Forget(shard, shard.rooms, it, server);
  }
  Gather gather;
  Tell(outcomes, gather);
}

absl::Status RoomMoves::Import(const RoomState& state, const std::vector<SubscriberPtr>& subscribers,
                               const std::string& self) {
  Shard& shard = shards_.Of(state.room);
  MutexLock lock(shard.mu);
  if (shards_.Find(shard, state.room) == nullptr) {
    if (absl::Status status = shards_.Ask(&Ownership::MayTake, state.room); !status.ok()) return status;
  }
  // A room that was given away and comes back before its going is settled here: what has come is newer.
  if (const auto frozen = shard.frozen.find(state.room); frozen != shard.frozen.end())
    Forget(shard, shard.frozen, frozen, self);
  shard.read.erase(state.room);
  const int64_t now_ms = Now();
  auto& slot = shard.rooms[state.room];
  if (slot == nullptr) {
    slot = shards_.NewRoom(shard, state.room, state.epoch);
    slot->Adopt(state, subscribers, now_ms);
    shards_.CountIn(shard, *slot);
    taken_.Add();
  } else if (slot->epoch() != state.epoch) {
    EarlierLives earlier = state.earlier;
    for (const EventPtr& event : state.recent_events) earlier[state.epoch].emplace(event->offset, event);
    shards_.Accounted(shard, *slot, [&] {
      slot->ShowNoTimeBefore(state.time_ms);
      slot->GoOnFrom(earlier, now_ms);
      return 0;
    });
  }
  return absl::OkStatus();
}

}  // namespace hubbub::chat
