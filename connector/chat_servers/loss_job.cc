#include "connector/chat_servers/loss_job.h"

#include <cstdint>
#include <map>
#include <utility>

namespace hubbub::connector {
namespace {

// How often the place of a session that has left is asked for. After that the grace of the lease ends it.
constexpr int kMostTriesOfLeft = 14;
// How often, for some 1.5 seconds, only the server that a room was given to is asked for it.
constexpr int kPatientTries = 10;

}  // namespace

void LossJob::Add(Membership& membership, const std::string& owner) {
  rooms_[membership.room()].push_back({.membership = membership.shared_from_this()});
  if (!owner.empty()) owners_[membership.room()] = owner;
}

void LossJob::TakeRoomsOf(const std::string& server, LossJob& from) {
  for (auto owner = from.owners_.begin(); owner != from.owners_.end();) {
    const auto current = owner++;
    if (current->second != server) continue;
    if (const auto room = from.rooms_.find(current->first); room != from.rooms_.end()) {
      auto& places = rooms_[room->first];
      places.insert(places.end(), room->second.begin(), room->second.end());
      from.rooms_.erase(room);
    }
    from.owners_.erase(current);
  }
}

void LossJob::Resume() {
  resumed_ = true;
  tries = 0;
  to_tell_.clear();
  owners_.clear();
}

std::string LossJob::TargetOf(const std::string& room, const ChatServers& servers) const {
  const auto owner = owners_.find(room);
  if (owner != owners_.end()) {
    if (servers.LeaseOf(owner->second) != 0) return owner->second;
    // The server that a room was given to may be too new to be known here, or about to come back. If it does
    // not come, it may have given the room away again while no connector heard of it: then another server
    // knows.
    if (loss_.server.empty() && tries < kPatientTries) return {};
  }
  if (resumed_ && servers.LeaseOf(loss_.server) != 0) return loss_.server;
  return servers.BestFor(room);
}

std::vector<std::vector<RestoreCall>> LossJob::TakeCalls(const ChatServers& servers,
                                                         const LocalRooms& local_rooms) {
  const auto to_tell = std::exchange(to_tell_, {});
  StringMap<std::vector<RoomToRestore>> by_server;
  for (const auto& [server, refusals] : to_tell) by_server[server];
  StringMap<std::vector<PlaceToRestore>> waiting;
  for (auto& [room, places] : rooms_) {
    const std::string target = TargetOf(room, servers);
    if (target.empty()) {
      waiting.emplace(room, std::move(places));
      continue;
    }
    // Nearly always all members know the same life of the room.
    std::map<std::pair<uint64_t, uint64_t>, RoomToRestore> by_lives;
    for (PlaceToRestore& place : places) {
      const RoomPoint& seen = place.membership->seen();
      RoomToRestore& alike = by_lives[{seen.epoch, seen.life}];
      alike.room = room;
      alike.places.push_back(std::move(place));
    }
    for (auto& [lives, alike] : by_lives) by_server[target].push_back(std::move(alike));
  }
  rooms_ = std::move(waiting);

  std::vector<std::vector<RestoreCall>> due;
  for (auto& [server, rooms] : by_server) {
    if (servers.LeaseOf(server) == 0) {
      // It has gone since, and will be told when it is back.
      for (RoomToRestore& room : rooms) PutBack(std::move(room));
      continue;
    }
    const auto told = to_tell.find(server);
    const int refusals = told == to_tell.end() ? 0 : told->second;
    due.push_back(CallsFor(loss_, server, refusals, std::move(rooms), servers, local_rooms));
  }
  return due;
}

void LossJob::PutBack(RoomToRestore room) {
  std::vector<PlaceToRestore>& places = rooms_[room.room];
  for (PlaceToRestore& place : room.places) {
    if (place.membership->left() && ++place.tries > kMostTriesOfLeft) continue;
    places.push_back(std::move(place));
  }
  if (places.empty()) rooms_.erase(room.room);
}

}  // namespace hubbub::connector
