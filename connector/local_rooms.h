#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/delivery.h"
#include "connector/last_events.h"
#include "connector/membership.h"
#include "services/metrics/counter.h"
#include "services/net/loop.h"
#include "services/session/session.h"
#include "services/string_map.h"

namespace hubbub::connector {

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
  };
  // The membership's room has gone to another chat server: it is not joined any more before Restored.
  using OnMoved = std::function<void(Membership& membership, const std::string& server)>;

  explicit LocalRooms(net::Loop& loop) : loop_(loop) {}

  net::Loop& loop() const { return loop_; }
  // To be set before the first event.
  void SetOnMoved(OnMoved on_moved) { on_moved_ = std::move(on_moved); }

  // Registered before Add is called, because events may overtake its answer.
  void Insert(Membership& membership, Owner& owner);
  void Erase(Membership& membership);
  // Who is told of its end from now on.
  void SetOwner(Membership& membership, Owner& owner);
  // The answer to Add: from here on the client gets what comes after `offset`. Hands over what waited.
  void Joined(Membership& membership, uint64_t epoch, uint64_t offset);
  // The answer to Restore: as Joined, but `missed` comes first: events of the life that the client knows, and
  // of a new one, if it is in that.
  void Restored(Membership& membership, const Deliveries& missed, uint64_t epoch, uint64_t offset);

  void Deliver(const std::shared_ptr<const Deliveries>& batch);
  // Events of a room that have come by another way: they belong to its last ones.
  void Remember(std::string_view room, const Deliveries& deliveries);
  // The newest events of a room that have come here; null if nobody of it is here.
  const LastEvents* LastEventsOf(std::string_view room) const;

  // True if this session has a membership in the room whose place has this token.
  bool Holds(std::string_view room, uint64_t session, std::string_view token) const;
  // The memberships that are joined, at this chat server.
  std::vector<Membership*> JoinedAt(std::string_view server) const;

  void SignIn(std::string_view user, Session& session);
  void SignOut(std::string_view user, Session& session);
  // The sessions of a user; null if there are none.
  const std::vector<Session*>* SessionsOf(std::string_view user) const;
  // All sessions that have signed in.
  std::vector<Session*> Sessions() const;

  // Memberships now, and events that sessions were given in all. For any thread.
  uint64_t places() const { return places_.value(); }
  uint64_t deliveries() const { return deliveries_.value(); }

 private:
  struct Seat {
    Membership* membership;
    Owner* owner;
  };
  struct Room {
    std::vector<Seat> seats;  // Never empty.
    LastEvents last_events;
  };
  // What a delivery does to a member beyond what the client is shown.
  enum class Effect { kNone, kEnded, kMoved };

  Effect Show(const Delivery& delivery, Membership& membership);
  void Apply(Effect effect, const Delivery& delivery, const Seat& seat);
  static void Hold(Membership& membership, const std::shared_ptr<const Deliveries>& batch, size_t index);

  net::Loop& loop_;
  OnMoved on_moved_;
  StringMap<Room> rooms_;
  StringMap<std::vector<Session*>> users_;
  SingleWriterNumber places_;
  SingleWriterNumber deliveries_;
};

}  // namespace hubbub::connector
