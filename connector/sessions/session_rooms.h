#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connector/chat_servers/partings.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"
#include "connector/delivery/room_point.h"
#include "services/base/string_map.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

// The rooms that a session is in, or enters, and what its client is told of them as a whole (`onRooms`, and
// gaps). Chat servers are told nothing here. Loop-only. Owned by the session's handler.
class SessionRooms {
 public:
  // Both outlive it.
  SessionRooms(client::ClientSession& session, LocalRooms& local_rooms)
      : session_(session), local_rooms_(local_rooms) {}

  bool empty() const { return rooms_.empty(); }
  size_t size() const { return rooms_.size(); }
  bool Has(std::string_view room) const { return rooms_.contains(room); }
  StringSet Names() const;
  // Null if the session is not there.
  InRoom* Find(std::string_view room);

  // From now on events reach the membership. REQUIRES: not Has(its room).
  void Add(std::shared_ptr<Membership> membership);
  // Takes the session out of a room. REQUIRES: Has(room).
  void Forget(const std::string& room);
  // The session has ended: hands all places to `partings`. `take_back`: as Partings::Add has it.
  void Part(Partings& partings, bool keep_name, uint32_t wait_ms, bool take_back);

  // Tells a client that wants to come back in which rooms it is now, and how far it has seen them.
  void Show();
  // The same, and this is how far it has seen one of them.
  void ShowFrom(const RoomPoint& point, Membership& membership);
  // Tells the client of gaps, now and then, and shows it its rooms again once it knows of all.
  void TellGaps();

 private:
  client::ClientSession& session_;
  LocalRooms& local_rooms_;
  StringMap<InRoom> rooms_;  // By name.
};

}  // namespace hubbub::connector
