#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connector/delivery.h"
#include "services/session/session.h"

namespace hubbub::connector {

struct RestoreEntry;
class RoomSends;

// The place of one session in one room. Loop-only. Owned by the session's handler, and by Partings after
// that; LocalRooms knows it while it lives.
//
//             answer to Add                  its chat server is lost, or has given the room away
//   (adding) ───────────────> (joined) <──────────────────────────────────────> (restoring)
//                                               answer to Restore
struct Membership {
  Session* session = nullptr;  // Null once that has ended, while Partings have the place.
  uint64_t ended_session = 0;  // Its id then.
  std::string user;
  std::string room;
  std::string token;         // Whoever shows it takes the place over.
  uint64_t address = 0;      // A hash of where its client is,
  uint32_t wait_ms = 0;      // and what AddRequest calls so.
  bool keep_name = false;    // The session was cut off: its name is kept when the place is given up.
  std::string server;        // The chat server that was asked last to have it,
  uint64_t lease = 0;        // this connector's lease there,
  uint64_t incarnation = 0;  // and the run of that server.

  // Until it is joined, events wait: the client gets the list of users first, then what happened after it.
  bool joined = false;
  std::shared_ptr<RestoreEntry> restoring;  // The Restorer's own; null: it is not restoring.
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Of the newest event that the client has seen or needs not see.

  struct Held {
    std::shared_ptr<const Deliveries> batch;
    size_t index;
  };
  // Bounded by the deadline of Add and by kMaxHeld; beyond it the session is kicked.
  static constexpr size_t kMaxHeld = 4096;
  std::vector<Held> held;

  uint64_t session_id() const { return session == nullptr ? ended_session : session->id(); }

  std::shared_ptr<RoomSends> sends;  // Null before the first one. The owner's.

  size_t place = 0;  // Its index in the room's list. LocalRooms' own.
};

}  // namespace hubbub::connector
