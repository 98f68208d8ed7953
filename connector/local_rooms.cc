#include "connector/local_rooms.h"

#include <algorithm>
#include <utility>

namespace hubbub::connector {

void LocalRooms::Insert(Membership& membership, Owner& owner) {
  loop_.AssertHere();
  auto& seats = rooms_[membership.room];
  membership.place = seats.size();
  seats.push_back({&membership, &owner});
}

void LocalRooms::Erase(Membership& membership) {
  loop_.AssertHere();
  const auto room = rooms_.find(membership.room);
  auto& seats = room->second;
  seats[membership.place] = seats.back();
  seats[membership.place].membership->place = membership.place;
  seats.pop_back();
  if (seats.empty()) rooms_.erase(room);
}

void LocalRooms::Joined(Membership& membership, uint64_t epoch, uint64_t offset) {
  loop_.AssertHere();
  membership.joined = true;
  membership.epoch = epoch;
  membership.offset = offset;
  const Seat seat = rooms_.find(membership.room)->second[membership.place];
  const auto held = std::exchange(membership.held, {});
  for (const Membership::Held& waiting : held) {
    const Delivery& delivery = (*waiting.batch)[waiting.index];
    // The membership may be gone after its end was told.
    if (Show(delivery, membership)) return TellEnd(delivery, seat);
  }
}

bool LocalRooms::Show(const Delivery& delivery, Membership& membership) {
  if (delivery.kind == Delivery::Kind::kReplaced) {
    return delivery.user == membership.user && delivery.session == membership.session->id();
  }
  if (delivery.epoch != membership.epoch) return false;
  if (delivery.offsets.back() <= membership.offset) return false;
  const bool about_me = delivery.user == membership.user;
  const bool for_me = delivery.kind == Delivery::Kind::kTargeted ? about_me
                      : delivery.kind == Delivery::Kind::kJoined ? !about_me
                                                                 : true;
  if (for_me) {
    if (net::Payload packages = delivery.After(membership.offset, membership.session->format())) {
      membership.session->Write(std::move(packages));
    }
  }
  membership.offset = delivery.offsets.back();
  return delivery.kind == Delivery::Kind::kLeft && about_me;
}

void LocalRooms::TellEnd(const Delivery& delivery, const Seat& seat) {
  seat.owner->OnEnded(*seat.membership,
                      delivery.kind == Delivery::Kind::kReplaced ? End::kReplaced : End::kLeft);
}

void LocalRooms::Deliver(const std::shared_ptr<const Deliveries>& batch) {
  loop_.AssertHere();
  std::vector<Seat> ended;
  for (size_t index = 0; index < batch->size(); ++index) {
    const Delivery& delivery = (*batch)[index];
    const auto room = rooms_.find(delivery.room);
    if (room == rooms_.end()) continue;
    for (const Seat& seat : room->second) {
      Membership& membership = *seat.membership;
      if (!membership.joined) {
        if (membership.held.size() < Membership::kMaxHeld) {
          membership.held.push_back({batch, index});
        } else {
          membership.session->Kick("this server is overloaded");
        }
      } else if (Show(delivery, membership)) {
        ended.push_back(seat);
      }
    }
    // Not while the list is walked: an end takes the member out of it.
    for (const Seat& seat : ended) TellEnd(delivery, seat);
    ended.clear();
  }
}

void LocalRooms::OnNewLease(std::string_view server, uint64_t lease) {
  loop_.AssertHere();
  std::vector<Seat> lost;
  for (const auto& [room, seats] : rooms_) {
    for (const Seat& seat : seats) {
      const Membership& membership = *seat.membership;
      if (membership.joined && membership.server == server && membership.lease != lease) lost.push_back(seat);
    }
  }
  for (const Seat& seat : lost) seat.owner->OnLeaseLost(*seat.membership);
}

void LocalRooms::SignIn(std::string_view user, Session& session) {
  loop_.AssertHere();
  users_[std::string(user)].push_back(&session);
}

void LocalRooms::SignOut(std::string_view user, Session& session) {
  loop_.AssertHere();
  const auto at = users_.find(user);
  if (at == users_.end()) return;
  std::erase(at->second, &session);
  if (at->second.empty()) users_.erase(at);
}

const std::vector<Session*>* LocalRooms::SessionsOf(std::string_view user) const {
  loop_.AssertHere();
  const auto at = users_.find(user);
  return at == users_.end() ? nullptr : &at->second;
}

std::vector<Session*> LocalRooms::Sessions() const {
  loop_.AssertHere();
  std::vector<Session*> all;
  for (const auto& [user, sessions] : users_) all.insert(all.end(), sessions.begin(), sessions.end());
  return all;
}

}  // namespace hubbub::connector
