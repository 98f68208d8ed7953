#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "connector/chat_links.h"
#include "connector/local_rooms.h"
#include "connector/membership.h"
#include "connector/restorer.h"

namespace hubbub::connector {

// The places of sessions that have ended, until they are given up: what such a session had sent is done
// first, so that it is not lost, and nobody hears the user after the leave. That takes no longer than its
// sends may wait (RoomSends). Meanwhile such a place is restored and moves as others do. Loop-only. Owned by
// main, one for each loop.
class Partings final : private LocalRooms::Owner {
 public:
  // All outlive this object, and this the loop's last turn.
  Partings(LocalRooms& rooms, Restorer& restorer, ChatLinks& links)
      : rooms_(rooms), restorer_(restorer), links_(links) {}

  // `take_back`: the room is told that the user has left. Otherwise the place stays there until the session's
  // token takes it over, or the lease ends.
  void Add(std::unique_ptr<Membership> membership, bool take_back);

 private:
  struct Parting {
    std::unique_ptr<Membership> membership;
    bool take_back;
  };

  void OnEnded(Membership& membership, LocalRooms::End end) override;
  // Takes it out of all lists.
  void Forget(Membership& membership);
  void GiveUp(const Parting& parting);

  LocalRooms& rooms_;
  Restorer& restorer_;
  ChatLinks& links_;
  absl::flat_hash_map<const Membership*, Parting> waiting_;  // For the answers to sends.
};

}  // namespace hubbub::connector
