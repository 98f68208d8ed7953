#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connector/delivery.h"
#include "services/net/loop.h"
#include "services/session/session.h"
#include "services/string_map.h"

namespace hubbub::connector {

// The place of one session in one room. Loop-only. Owned by the session's handler; LocalRooms knows it while
// it lives.
struct Membership {
  Session* session = nullptr;
  std::string user;
  std::string room;
  std::string server;  // The chat server that was asked to add it,
  uint64_t lease = 0;  // and this connector's lease there.

  // Until the answer to Add is here, events wait: the client gets the list of users first, then what happened
  // after it.
  bool joined = false;
  bool restoring = false;  // It was joined; its chat server forgot it and is asked again.
  uint64_t epoch = 0;
  uint64_t offset = 0;  // Of the newest event that the client has seen or needs not see.

  struct Held {
    std::shared_ptr<const Deliveries> batch;
    size_t index;
  };
  // Bounded by the deadline of Add and by kMaxHeld; beyond it the session is kicked.
  static constexpr size_t kMaxHeld = 4096;
  std::vector<Held> held;

  size_t place = 0;  // Its index in the room's list. LocalRooms' own.
};

// Who sits in which room, and who is signed in, on one loop. Loop-only: it is asked and told on its loop
// alone. Owned by main, one for each loop.
class LocalRooms {
 public:
  // What becomes of a membership that the chat server has ended.
  enum class End {
    kLeft,      // The room only.
    kReplaced,  // Another session of the user has taken the place.
  };
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnEnded(Membership& membership, End end) = 0;
    // The lease under which it was added is no more: it has to be added again.
    virtual void OnLeaseLost(Membership& membership) = 0;
  };

  explicit LocalRooms(net::Loop& loop) : loop_(loop) {}

  net::Loop& loop() const { return loop_; }

  // Registered before Add is called, because events may overtake its answer.
  void Insert(Membership& membership, Owner& owner);
  void Erase(Membership& membership);
  // The answer to Add: from here on the client gets what comes after `offset`. Hands over what waited.
  void Joined(Membership& membership, uint64_t epoch, uint64_t offset);

  void Deliver(const std::shared_ptr<const Deliveries>& batch);

  // A chat server has given this connector another lease: tells all whose place was under an older one.
  void OnNewLease(std::string_view server, uint64_t lease);

  void SignIn(std::string_view user, Session& session);
  void SignOut(std::string_view user, Session& session);
  // The sessions of a user; null if there are none.
  const std::vector<Session*>* SessionsOf(std::string_view user) const;
  // All sessions that have signed in.
  std::vector<Session*> Sessions() const;

 private:
  struct Seat {
    Membership* membership;
    Owner* owner;
  };

  // Shows a delivery to a member; true if it ends the membership.
  static bool Show(const Delivery& delivery, Membership& membership);
  static void TellEnd(const Delivery& delivery, const Seat& seat);

  net::Loop& loop_;
  StringMap<std::vector<Seat>> rooms_;
  StringMap<std::vector<Session*>> users_;
};

}  // namespace hubbub::connector
