#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connector/delivery/delivery.h"
#include "connector/delivery/room_point.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

// The place of one session in one room, as the connector knows it.
//
//                  Joined              BeginRestore
//     kAdding ─────────────> kJoined ───────────────> kRestoring ──────────> kReplaced
//   (Add is under way)          ^                          │       Replaced
//                               └──────────────────────────┘
//                                         Joined
//
// and from every state to kLeft, by Leave. What holds:
// * Only in kJoined are events shown to the client; otherwise they are held, at most kMaxHeld.
// * at() is the chat server that was asked for the place last; in kJoined the place is there.
// * From the first Joined on, the client has seen what it is to see up to seen().
//
// Loop-only. Shared by the handler of its session (later by Partings), the coroutine that enters, and the
// Restorer. LocalRooms has a pointer to it from Insert to Erase.
class Membership final : public std::enable_shared_from_this<Membership> {
 public:
  enum class State { kAdding, kJoined, kRestoring, kReplaced, kLeft };
  // How a chat server has ended a place.
  enum class End {
    kLeft,      // The user has left the room.
    kReplaced,  // Another session of the user has taken the place.
  };
  using OnEnded = std::function<void(Membership&, End)>;

  struct Who {
    std::string room = {};
    std::string user = {};
    std::string token = {};  // The session that shows it may take the place over.
    uint64_t address = 0;    // A hash of the client's address.
    uint32_t wait_ms = 0;    // As AddRequest has it.
    int64_t asked_ms = 0;    // When the client has asked for it (SteadyNowMs).
  };
  // A chat server, the connector's lease there, and the run of the server that the lease is of.
  struct At {
    std::string server = {};
    uint64_t lease = 0;
    uint64_t incarnation = 0;
  };
  // An event that waits: one delivery of a batch.
  struct Held {
    std::shared_ptr<const Deliveries> batch;
    size_t index;
  };
  static constexpr size_t kMaxHeld = 4096;

  // `session` lives until EndSession or Leave.
  Membership(Who who, client::ClientSession& session, OnEnded on_ended)
      : who_(std::move(who)),
        session_id_(session.id()),
        session_(&session),
        on_ended_(std::move(on_ended)),
        wait_ms_(who_.wait_ms) {}

  const std::string& room() const { return who_.room; }
  const std::string& user() const { return who_.user; }
  const std::string& token() const { return who_.token; }
  uint64_t address() const { return who_.address; }
  int64_t asked_ms() const { return who_.asked_ms; }
  uint64_t session_id() const { return session_id_; }
  // Null once the session has ended, or has left the room.
  client::ClientSession* session() const { return session_; }
  const At& at() const { return at_; }
  State state() const { return state_; }
  bool joined() const { return state_ == State::kJoined; }
  bool left() const { return state_ == State::kLeft; }
  size_t held() const { return held_.size(); }
  // What the client has seen.
  const RoomPoint& seen() const { return seen_; }
  // The session was cut off: the room keeps the user's name when the place is taken back, as wait_ms says.
  bool keep_name() const { return keep_name_; }
  uint32_t wait_ms() const { return wait_ms_; }
  // As the chat server told it last; 0 until it has.
  uint64_t attempt() const { return attempt_; }
  void set_attempt(uint64_t attempt) { attempt_ = attempt; }

  // A chat server is asked for the place, by Add or Restore. REQUIRES: kAdding or kRestoring.
  void Asked(At at);
  // The place is there: the client is to see what comes after `point`. Returns the events that waited,
  // oldest first. REQUIRES: kAdding or kRestoring.
  std::vector<Held> Joined(const RoomPoint& point);
  // The chat server is lost, has forgotten the place, or has given the room away. REQUIRES: kJoined.
  void BeginRestore();
  // Another session has taken the place. REQUIRES: kRestoring.
  void Replaced();
  // The session has ended; the place lasts until it is given up.
  void EndSession(bool keep_name, uint32_t wait_ms);
  // Nobody wants the place any more. The last call.
  void Leave();

  // Keeps an event for later; false if there are too many, then it is not kept. REQUIRES: not kJoined.
  bool Hold(Held event);
  // The client has seen what it is to see up to here.
  void SawOffset(uint64_t offset) { seen_.offset = offset; }
  // The same, in the epoch of the point.
  void SawUpTo(const RoomPoint& point) {
    BeginEpoch(point.epoch);
    SawOffset(point.offset);
  }
  // The client is not shown what comes next; until TakeGap.
  void BeginGap() {
    if (!gap_) gap_ = seen_;
  }
  // From where on messages were left out; nothing: none were.
  const std::optional<RoomPoint>& gap() const { return gap_; }
  std::optional<RoomPoint> TakeGap() { return std::exchange(gap_, {}); }
  void SawChange(uint64_t change) { seen_.change = change; }
  // The offsets, or the changes, have begun a new life, of which the client has seen nothing. Nothing changes
  // if it is the one that the client knows.
  void BeginEpoch(uint64_t epoch);
  void BeginLife(uint64_t life);

  // Tells the owner that the chat server has ended the place. The owner may let go of this object.
  void TellEnd(End end);
  // Is told instead, from now on.
  void SetOnEnded(OnEnded on_ended) { on_ended_ = std::move(on_ended); }

  // Its index in the list that LocalRooms has of the room, for LocalRooms alone.
  size_t seat() const { return seat_; }
  void set_seat(size_t seat) { seat_ = seat; }

 private:
  const Who who_;
  const uint64_t session_id_;
  client::ClientSession* session_;
  OnEnded on_ended_;
  State state_ = State::kAdding;
  At at_;
  RoomPoint seen_;
  std::optional<RoomPoint> gap_;
  std::vector<Held> held_;
  bool keep_name_ = false;
  uint32_t wait_ms_;
  uint64_t attempt_ = 0;
  size_t seat_ = 0;
};

}  // namespace hubbub::connector
