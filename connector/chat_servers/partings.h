#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "connector/chat_servers/chat_servers.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"

namespace hubbub::connector {

class RoomSends;

// What a session has in one room that it is in, or enters.
struct InRoom {
  std::shared_ptr<Membership> membership;
  std::shared_ptr<RoomSends> sends = nullptr;  // Null before the first one.
};

// The places of sessions that have ended, until they are given up: the sends of such a session are answered
// first, so that they are not lost, and the room hears nothing of the user after the leave. That takes no
// longer than sends may wait (RoomSends). Until then such a place is restored and moves as others do.
// Loop-only. One for each loop, owned by Connector.
class Partings {
 public:
  // Both outlive this object, which outlives the loop's last turn.
  Partings(LocalRooms& rooms, ChatServers& servers) : rooms_(rooms), servers_(servers) {}

  // `take_back`: the room is told that the user has left. Otherwise the place stays there until the session's
  // token takes it over, or the lease ends.
  void Add(InRoom place, bool take_back);

 private:
  struct Parting {
    InRoom place;
    bool take_back;
  };

  // Nothing more is sent or shown there.
  void Forget(const InRoom& place);
  void GiveUp(const Parting& parting);

  LocalRooms& rooms_;
  ChatServers& servers_;
  absl::flat_hash_map<const Membership*, Parting> waiting_;  // For the answers to sends.
};

}  // namespace hubbub::connector
