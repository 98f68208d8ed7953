#include "chat/rooms/room_members.h"

#include <algorithm>
#include <iterator>

namespace hubbub::chat {

RoomMembers::Member* RoomMembers::Find(std::string_view user) {
  const auto found = by_user_.find(user);
  return found == by_user_.end() ? nullptr : &*found->second;
}

const RoomMembers::Member* RoomMembers::Find(std::string_view user) const {
  const auto found = by_user_.find(user);
  return found == by_user_.end() ? nullptr : &*found->second;
}

bool RoomMembers::Has(std::string_view user, PlaceId place) const {
  const Member* const member = Find(user);
  return member != nullptr && std::any_of(member->places.begin(), member->places.end(),
                                          [place](const Place& p) { return place.Names(p); });
}

std::vector<std::string> RoomMembers::FirstUsers(size_t max_bytes) const {
  std::vector<std::string> users;
  size_t bytes = 0;
  for (const Member& member : members_) {
    bytes += member.user.size();
    if (bytes > max_bytes) break;
    users.push_back(member.user);
  }
  return users;
}

std::vector<std::pair<std::string, PlaceId>> RoomMembers::OfLease(uint64_t lease, size_t max_places) const {
  std::vector<std::pair<std::string, PlaceId>> places;
  for (auto member = members_.begin(); member != members_.end() && places.size() < max_places; ++member) {
    for (const Place& p : member->places) {
      if (p.subscriber->lease() == lease && places.size() < max_places)
        places.emplace_back(member->user, PlaceId{.lease = lease, .session = p.session});
    }
  }
  return places;
}

void RoomMembers::Add(std::string_view user, Place place) {
  ++places_;
  Retain(place.subscriber);
  if (Member* const known = Find(user)) {
    known->places.push_back(std::move(place));
    return;
  }
  Member& member = members_.emplace_back();
  member.user = user;
  member.visit = ++visits_;
  member.places.push_back(std::move(place));
  by_user_.emplace(member.user, std::prev(members_.end()));
}

void RoomMembers::Replace(Place& old, Place place) {
  Retain(place.subscriber);
  std::swap(old, place);
  Release(*place.subscriber);
}

void RoomMembers::RemovePlace(Member& member, PlaceId place) {
  const auto at = std::find_if(member.places.begin(), member.places.end(),
                               [place](const Place& p) { return place.Names(p); });
  if (at == member.places.end()) return;
  Release(*at->subscriber);
  --places_;
  member.places.erase(at);
}

void RoomMembers::Remove(std::string_view user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  const Members::iterator member = found->second;
  for (const Place& p : member->places) Release(*p.subscriber);
  places_ -= member->places.size();
  by_user_.erase(found);
  members_.erase(member);
}

void RoomMembers::PushToAll(const EventPtr& event, Gather* gather) const {
  for (const Listener& l : listeners_) l.subscriber->Push(event, gather);
}

void RoomMembers::PushTo(const Member& member, const EventPtr& event, Gather* gather) {
  const std::vector<Place>& places = member.places;
  for (auto p = places.begin(); p != places.end(); ++p) {
    const bool told =
        std::any_of(places.begin(), p, [p](const Place& q) { return q.subscriber == p->subscriber; });
    if (!told) p->subscriber->Push(event, gather);
  }
}

std::vector<RoomState::Place> RoomMembers::Places() const {
  std::vector<RoomState::Place> places;
  places.reserve(places_);
  for (const Member& member : members_) {
    for (const Place& p : member.places)
      places.push_back({member.user, p.subscriber->connector(), p.session, p.token, p.address, p.wait_ms,
                        p.attempt, p.asked_ms});
  }
  return places;
}

void RoomMembers::Unsettle() {
  settled_ = false;
  for (const Listener& l : listeners_) index_.Erase(l.subscriber->lease(), room_);
}

std::vector<uint64_t> RoomMembers::Settle() {
  settled_ = true;
  std::vector<uint64_t> ended;
  for (const Listener& l : listeners_) {
    index_.Insert(l.subscriber->lease(), room_);
    if (l.subscriber->ended()) ended.push_back(l.subscriber->lease());
  }
  return ended;
}

void RoomMembers::Retain(const SubscriberPtr& subscriber) {
  for (Listener& l : listeners_) {
    if (l.subscriber != subscriber) continue;
    ++l.places;
    return;
  }
  listeners_.push_back({subscriber, 1});
  if (settled_) index_.Insert(subscriber->lease(), room_);
}

void RoomMembers::Release(const Subscriber& subscriber) {
  const auto it = std::find_if(listeners_.begin(), listeners_.end(),
                               [&](const Listener& l) { return l.subscriber.get() == &subscriber; });
  if (it == listeners_.end() || --it->places > 0) return;
  if (settled_) index_.Erase(subscriber.lease(), room_);
  listeners_.erase(it);
}

}  // namespace hubbub::chat
