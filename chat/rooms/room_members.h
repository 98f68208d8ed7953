#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "chat/rooms/event.h"
#include "chat/rooms/lease_index.h"
#include "chat/rooms/place.h"
#include "chat/rooms/room_state.h"
#include "chat/rooms/subscriber.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// The users of one room in the order in which they came, the places of each, and the subscribers that listen
// because a place is theirs. Keeps the shard's LeaseIndex up to date. Not thread-safe: the lock of the room's
// shard guards it.
class RoomMembers {
 public:
  struct Member {
    std::string user;
    std::vector<Place> places;  // In the order in which they came; never empty.
    uint64_t visit = 0;  // 1, 2, 3 …: a user who comes again, or another one by the name, has a greater one.
  };

  // `index` is that of the shard of `room`, whose members these are; it outlives this object.
  RoomMembers(LeaseIndex& index, Room* room) : index_(index), room_(room) {}
  RoomMembers(const RoomMembers&) = delete;
  RoomMembers& operator=(const RoomMembers&) = delete;

  size_t users() const { return members_.size(); }
  size_t places() const { return places_; }
  // Null if the user is not here. A place's subscriber changes by Replace alone.
  Member* Find(std::string_view user);
  const Member* Find(std::string_view user) const;
  bool Has(std::string_view user, PlaceId place) const;
  const std::list<Member>& all() const { return members_; }
  // The first users, as far as their names fit into `max_bytes`.
  std::vector<std::string> FirstUsers(size_t max_bytes) const;
  // At most `max_places` places of a lease, those of users who came first before the others.
  std::vector<std::pair<std::string, PlaceId>> OfLease(uint64_t lease, size_t max_places) const;

  // Adds a place of the user, who comes by it if there is no other.
  void Add(std::string_view user, Place place);
  // Gives `old`, the place of a member, to `place`.
  void Replace(Place& old, Place place);
  // Ends one place of a member who has others, or the member with all places.
  void RemovePlace(Member& member, PlaceId place);
  void Remove(std::string_view user);

  // Pushes the event once to each subscriber that has places here.
  void PushToAll(const EventPtr& event, Gather* gather = nullptr) const;
  // Pushes the event once to each subscriber that has places of the member.
  static void PushTo(const Member& member, const EventPtr& event, Gather* gather = nullptr);

  // All places in the order of their users.
  std::vector<RoomState::Place> Places() const;
  // Takes all places out of the index, so that no end of a lease changes them. Settle ends that, and returns
  // the leases that have ended since.
  void Unsettle();
  std::vector<uint64_t> Settle();

 private:
  using Members = std::list<Member>;
  struct Listener {
    SubscriberPtr subscriber;
    size_t places;
  };

  void Retain(const SubscriberPtr& subscriber);
  void Release(const Subscriber& subscriber);

  LeaseIndex& index_;
  Room* const room_;
  Members members_;
  // The keys are the names inside members_, which do not move.
  absl::flat_hash_map<std::string_view, Members::iterator, StringHash, std::equal_to<>> by_user_;
  std::vector<Listener> listeners_;  // One per connector, few: searched one by one.
  size_t places_ = 0;
  uint64_t visits_ = 0;
  bool settled_ = true;
};

}  // namespace hubbub::chat
