#include "connector/local_rooms.h"

#include <algorithm>
#include <utility>

#include "services/clock.h"

namespace hubbub::connector {

void LocalRooms::Insert(Membership& membership, Owner& owner) {
  loop_.AssertHere();
  auto& seats = rooms_[membership.room].seats;
  membership.place = seats.size();
  seats.push_back({&membership, &owner});
  places_.Add();
}

void LocalRooms::Erase(Membership& membership) {
  loop_.AssertHere();
  const auto room = rooms_.find(membership.room);
  auto& seats = room->second.seats;
  seats[membership.place] = seats.back();
  seats[membership.place].membership->place = membership.place;
  seats.pop_back();
  if (seats.empty()) rooms_.erase(room);
  places_.Subtract(1);
}

void LocalRooms::SetOwner(Membership& membership, Owner& owner) {
  loop_.AssertHere();
  rooms_.find(membership.room)->second.seats[membership.place].owner = &owner;
}

void LocalRooms::Joined(Membership& membership, uint64_t epoch, uint64_t offset) {
  loop_.AssertHere();
  membership.joined = true;
  membership.epoch = epoch;
  membership.offset = offset;
  const Seat seat = rooms_.find(membership.room)->second.seats[membership.place];
  auto held = std::exchange(membership.held, {});
  for (size_t i = 0; i < held.size(); ++i) {
    const Delivery& delivery = (*held[i].batch)[held[i].index];
    const Effect effect = Show(delivery, membership);
    if (effect == Effect::kNone) continue;
    // What is behind it waits for the next answer.
    if (effect == Effect::kMoved)
      membership.held.assign(held.begin() + static_cast<ptrdiff_t>(i) + 1, held.end());
    // The membership may be gone after its end was told.
    return Apply(effect, delivery, seat);
  }
}

void LocalRooms::Restored(Membership& membership, const Deliveries& missed, uint64_t epoch, uint64_t offset) {
  loop_.AssertHere();
  const auto show = [&](const Delivery& delivery) {
    // Its own comings and goings while it was away are nothing to its client.
    const bool coming = delivery.kind == Delivery::Kind::kJoined || delivery.kind == Delivery::Kind::kLeft;
    if (delivery.epoch == membership.epoch && !(coming && delivery.user == membership.user))
      (void)Show(delivery, membership);
  };
  for (const Delivery& delivery : missed) show(delivery);
  if (epoch != membership.epoch) {
    membership.epoch = epoch;
    membership.offset = 0;
    for (const Delivery& delivery : missed) show(delivery);
  }
  Joined(membership, epoch, offset);
}

LocalRooms::Effect LocalRooms::Show(const Delivery& delivery, Membership& membership) {
  if (delivery.kind == Delivery::Kind::kReplaced) {
    const bool mine = delivery.user == membership.user && delivery.session == membership.session_id();
    return mine ? Effect::kEnded : Effect::kNone;
  }
  if (delivery.epoch != membership.epoch) return Effect::kNone;
  if (delivery.kind == Delivery::Kind::kMoved)
    return delivery.source == membership.server ? Effect::kMoved : Effect::kNone;
  if (delivery.offsets.back() <= membership.offset) return Effect::kNone;
  const bool about_me = delivery.user == membership.user;
  const bool for_me = delivery.kind == Delivery::Kind::kTargeted ? about_me
                      : delivery.kind == Delivery::Kind::kJoined ? !about_me
                                                                 : true;
  if (for_me && membership.session != nullptr) {
    if (net::Payload packages = delivery.After(membership.offset, membership.session->wire())) {
      // First, so that whoever has been given it is counted.
      deliveries_.Add(delivery.CountAfter(membership.offset));
      membership.session->Write(std::move(packages));
    }
  }
  membership.offset = delivery.offsets.back();
  return delivery.kind == Delivery::Kind::kLeft && about_me ? Effect::kEnded : Effect::kNone;
}

void LocalRooms::Apply(Effect effect, const Delivery& delivery, const Seat& seat) {
  if (effect == Effect::kMoved) return on_moved_(*seat.membership, delivery.server);
  seat.owner->OnEnded(*seat.membership,
                      delivery.kind == Delivery::Kind::kReplaced ? End::kReplaced : End::kLeft);
}

void LocalRooms::Hold(Membership& membership, const std::shared_ptr<const Deliveries>& batch, size_t index) {
  if (membership.held.size() < Membership::kMaxHeld) {
    membership.held.push_back({batch, index});
  } else if (membership.session != nullptr) {
    membership.session->Kick("this server is overloaded", net::CloseReason::kShutdown);
  }
}

void LocalRooms::Deliver(const std::shared_ptr<const Deliveries>& batch) {
  loop_.AssertHere();
  std::vector<std::pair<Effect, Seat>> changed;
  const int64_t now_ms = SteadyNowMs();
  for (size_t index = 0; index < batch->size(); ++index) {
    const Delivery& delivery = (*batch)[index];
    const auto room = rooms_.find(delivery.room);
    if (room == rooms_.end()) continue;
    for (const auto& event : delivery.events) room->second.last_events.Append(event, now_ms);
    for (const Seat& seat : room->second.seats) {
      Membership& membership = *seat.membership;
      if (!membership.joined) {
        Hold(membership, batch, index);
      } else if (const Effect effect = Show(delivery, membership); effect != Effect::kNone) {
        changed.emplace_back(effect, seat);
      }
    }
    // Not while the list is walked: an end takes the member out of it.
    for (const auto& [effect, seat] : changed) Apply(effect, delivery, seat);
    changed.clear();
  }
}

void LocalRooms::Remember(std::string_view room, const Deliveries& deliveries) {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return;
  const int64_t now_ms = SteadyNowMs();
  for (const Delivery& delivery : deliveries) {
    for (const auto& event : delivery.events) at->second.last_events.Append(event, now_ms);
  }
}

const LastEvents* LocalRooms::LastEventsOf(std::string_view room) const {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? nullptr : &at->second.last_events;
}

bool LocalRooms::Holds(std::string_view room, uint64_t session, std::string_view token) const {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return false;
  const auto& seats = at->second.seats;
  return std::any_of(seats.begin(), seats.end(), [&](const Seat& seat) {
    return seat.membership->session_id() == session && seat.membership->token == token;
  });
}

std::vector<Membership*> LocalRooms::JoinedAt(std::string_view server) const {
  loop_.AssertHere();
  std::vector<Membership*> found;
  for (const auto& [name, room] : rooms_) {
    for (const Seat& seat : room.seats) {
      if (seat.membership->joined && seat.membership->server == server) found.push_back(seat.membership);
    }
  }
  return found;
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
