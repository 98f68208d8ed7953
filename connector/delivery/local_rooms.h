#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "connector/delivery/delivery.h"
#include "connector/delivery/last_events.h"
#include "connector/delivery/membership.h"
#include "connector/delivery/shown_users.h"
#include "google/protobuf/repeated_field.h"
#include "services/base/string_map.h"
#include "services/metrics/counter.h"
#include "services/net/loop.h"

namespace hubbub::connector {

// The memberships of one loop by room, and the fan-out of events to them. Loop-only, except for the counters.
// One for each loop, owned by Connector.
class LocalRooms {
 public:
  // The membership's room has gone to another chat server: the membership has to begin its restore.
  using OnMoved = std::function<void(Membership& membership, const std::string& server)>;

  explicit LocalRooms(net::Loop& loop) : loop_(loop) {}

  net::Loop& loop() const { return loop_; }
  // To be set before the first event.
  void SetOnMoved(OnMoved on_moved) { on_moved_ = std::move(on_moved); }

  // Registered before Add is called, because events may overtake its answer. Lives until Erase.
  void Insert(Membership& membership);
  void Erase(Membership& membership);
  // The answer to Add: from here on the client gets what comes after `point`. Hands over what waited, which
  // may end the membership or move it on.
  void Joined(Membership& membership, const RoomPoint& point);
  // The answer to Restore: as Joined, but the client gets `missed` first: the events of the epoch that it
  // knows, and those of the point's epoch if that is another one; the comings and goings of the point's life.
  // Then the users `unshown` (TakeUnshown).
  void Restored(Membership& membership, const Deliveries& missed, const RoomPoint& point,
                const Deliveries& unshown = {});

  void Deliver(const std::shared_ptr<const Deliveries>& batch);
  // Tells the client which messages were left out for it, if there are some and it has taken most of what it
  // was sent before. Call it now and then.
  void TellGap(Membership& membership);
  // Tells it however much the client has to take: for when the client is about to be told what lies behind,
  // or that it has left the room.
  void TellGapNow(Membership& membership);
  // Events of a room that have come by another way: they belong to its last ones.
  void Remember(std::string_view room, const Deliveries& deliveries);
  // The newest events of a room that have come here; null if no membership of the room is here.
  const LastEvents* LastEventsOf(std::string_view room) const;

  // The answer to an Add said that these are in the room, of `total` users.
  void ShowUsers(std::string_view room, const google::protobuf::RepeatedPtrField<std::string>& users,
                 size_t total);
  // Those of `users` whom no client here was shown in the room, as far as that is certain. The caller shows
  // them.
  std::vector<std::string> TakeUnshown(std::string_view room,
                                       const google::protobuf::RepeatedPtrField<std::string>& users);
  // Whom clients here have been shown in the room; null if no membership of the room is here.
  const ShownUsers* ShownIn(std::string_view room) const;

  // What this session has in the room; null if it has nothing there.
  const Membership* Find(std::string_view room, uint64_t session) const;
  // True if this session has a membership in the room whose place has this token.
  bool Holds(std::string_view room, uint64_t session, std::string_view token) const;
  // The memberships that are joined, at this chat server.
  std::vector<Membership*> JoinedAt(std::string_view server) const;

  // Memberships now, and events that sessions were given in all. For any thread.
  uint64_t places() const { return places_.value(); }
  uint64_t deliveries() const { return deliveries_.value(); }
  // Messages that sessions were not given, because their clients are too far behind.
  uint64_t skipped() const { return skipped_.value(); }

 private:
  struct Room {
    std::vector<Membership*> seats;  // Never empty.
    LastEvents last_events;
    ShownUsers shown;
  };
  // What a delivery does to a member beyond what the client is shown.
  enum class Effect { kNone, kEnded, kMoved };

  static void Learn(Room& room, const Delivery& delivery, int64_t now_ms);
  Effect Show(const Delivery& delivery, Membership& membership);
  // True if the client is too far behind for messages to everybody, and has not been told yet.
  bool Skips(Membership& membership);
  void Apply(Effect effect, const Delivery& delivery, Membership& membership);
  static void Hold(Membership& membership, Membership::Held event);

  net::Loop& loop_;
  OnMoved on_moved_;
  StringMap<Room> rooms_ ABSL_GUARDED_BY(loop_);
  metrics::SingleWriterNumber places_;
  metrics::SingleWriterNumber deliveries_;
  metrics::SingleWriterNumber skipped_;
};

}  // namespace hubbub::connector
