#include "connector/delivery/local_rooms.h"

#include <algorithm>
#include <utility>

#include "boost/json.hpp"
#include "services/base/clock.h"
#include "services/client/contract.h"

namespace hubbub::connector {

void LocalRooms::Insert(Membership& membership) {
  loop_.AssertHere();
  auto& seats = rooms_[membership.room()].seats;
  membership.set_seat(seats.size());
  seats.push_back(&membership);
  places_.Add();
}

void LocalRooms::Erase(Membership& membership) {
  loop_.AssertHere();
  const auto room = rooms_.find(membership.room());
  auto& seats = room->second.seats;
  seats[membership.seat()] = seats.back();
  seats[membership.seat()]->set_seat(membership.seat());
  seats.pop_back();
  if (seats.empty()) rooms_.erase(room);
  places_.Subtract(1);
}

void LocalRooms::Joined(Membership& membership, const RoomPoint& point) {
  loop_.AssertHere();
  const std::vector<Membership::Held> held = membership.Joined(point);
  for (size_t i = 0; i < held.size(); ++i) {
    const Delivery& delivery = (*held[i].batch)[held[i].index];
    const Effect effect = Show(delivery, membership);
    if (effect == Effect::kNone) continue;
    // The membership may be gone after its end was told.
    const auto alive = membership.shared_from_this();
    Apply(effect, delivery, membership);
    // What is behind a move waits for the next answer.
    for (++i; effect == Effect::kMoved && i < held.size(); ++i) Hold(membership, held[i]);
    return;
  }
}

void LocalRooms::Restored(Membership& membership, const Deliveries& missed, const RoomPoint& point,
                          const Deliveries& unshown) {
  loop_.AssertHere();
  const auto show = [&](const Delivery& delivery) {
    // The client is not shown its own comings and goings while it was away.
    const bool coming = delivery.kind == Delivery::Kind::kJoined || delivery.kind == Delivery::Kind::kLeft;
    if (!(coming && delivery.user == membership.user())) (void)Show(delivery, membership);
  };
  membership.BeginLife(point.life);
  for (const Delivery& delivery : missed) show(delivery);
  if (point.epoch != membership.seen().epoch) {
    membership.BeginEpoch(point.epoch);
    for (const Delivery& delivery : missed) show(delivery);
  }
  for (const Delivery& delivery : unshown) {
    client::ClientSession* const session = membership.session();
    if (session == nullptr || delivery.user == membership.user()) continue;
    if (net::Payload packages = delivery.After(0, session->push_encoding())) {
      deliveries_.Add();
      session->Write(std::move(packages));
    }
  }
  Joined(membership, point);
}

LocalRooms::Effect LocalRooms::Show(const Delivery& delivery, Membership& membership) {
  if (delivery.kind == Delivery::Kind::kReplaced) {
    const bool mine = delivery.user == membership.user() && delivery.session == membership.session_id();
    return mine ? Effect::kEnded : Effect::kNone;
  }
  // While a room moves, two chat servers tell of it. What the other one tells comes with the answer to
  // Restore, or came before.
  if (!delivery.source.empty() && delivery.source != membership.at().server) return Effect::kNone;
  const RoomPoint& point = membership.seen();
  if (delivery.life != 0 ? delivery.life != point.life : delivery.epoch != point.epoch) return Effect::kNone;
  if (delivery.kind == Delivery::Kind::kMoved) return Effect::kMoved;
  const uint64_t seen = delivery.life != 0 ? point.change : point.offset;
  if (delivery.numbers.back() <= seen) return Effect::kNone;
  const bool about_me = delivery.user == membership.user();
  const bool for_me = delivery.kind == Delivery::Kind::kTargeted ? about_me
                      : delivery.kind == Delivery::Kind::kJoined ? !about_me
                                                                 : true;
  const bool ends = delivery.kind == Delivery::Kind::kLeft && about_me;
  if (delivery.kind == Delivery::Kind::kMessages && Skips(membership)) {
    skipped_.Add(delivery.CountAfter(seen));
  } else if (for_me && membership.session() != nullptr) {
    if (net::Payload packages = delivery.After(seen, membership.session()->push_encoding())) {
      // A client comes back with the last offset that it has read, as one that has had all before it. And one
      // that is put out has no later time to be told.
      if (delivery.life == 0 || ends) TellGapNow(membership);
      // Counted first, so that a client that has an event is counted.
      deliveries_.Add(delivery.CountAfter(seen));
      membership.session()->Write(std::move(packages));
    }
  }
  if (delivery.life != 0) {
    membership.SawChange(delivery.numbers.back());
  } else {
    membership.SawOffset(delivery.numbers.back());
  }
  return ends ? Effect::kEnded : Effect::kNone;
}

bool LocalRooms::Skips(Membership& membership) {
  if (membership.session() == nullptr) return false;
  TellGap(membership);
  if (membership.session()->Behind()) {
    membership.BeginGap();
    membership.session()->HideRooms();
  }
  return membership.gap().has_value();
}

void LocalRooms::TellGap(Membership& membership) {
  loop_.AssertHere();
  const client::ClientSession* const session = membership.session();
  if (membership.joined() && session != nullptr && !session->Stalled()) TellGapNow(membership);
}

void LocalRooms::TellGapNow(Membership& membership) {
  loop_.AssertHere();
  if (!membership.gap() || membership.session() == nullptr) return;
  const auto point = [](const RoomPoint& at) {
    return boost::json::object{{"epoch", at.epoch}, {"offset", at.offset}};
  };
  const RoomPoint since = *membership.TakeGap();
  membership.session()->Push(
      client::route::kOnGap,
      {{"rid", membership.room()}, {"since", point(since)}, {"until", point(membership.seen())}});
}

void LocalRooms::Apply(Effect effect, const Delivery& delivery, Membership& membership) {
  if (effect == Effect::kMoved) return on_moved_(membership, delivery.server);
  membership.TellEnd(delivery.kind == Delivery::Kind::kReplaced ? Membership::End::kReplaced
                                                                : Membership::End::kLeft);
}

void LocalRooms::Hold(Membership& membership, Membership::Held event) {
  if (membership.Hold(std::move(event))) return;
  if (membership.session() != nullptr) {
    membership.session()->Kick("this server is overloaded", net::CloseReason::kShutdown);
  }
}

void LocalRooms::Deliver(const std::shared_ptr<const Deliveries>& batch) {
  loop_.AssertHere();
  std::vector<std::pair<Effect, Membership*>> changed;
  const int64_t now_ms = SteadyNowMs();
  for (size_t index = 0; index < batch->size(); ++index) {
    const Delivery& delivery = (*batch)[index];
    const auto room = rooms_.find(delivery.room);
    if (room == rooms_.end()) continue;
    Learn(room->second, delivery, now_ms);
    for (Membership* const membership : room->second.seats) {
      if (!membership->joined()) {
        Hold(*membership, {batch, index});
      } else if (const Effect effect = Show(delivery, *membership); effect != Effect::kNone) {
        changed.emplace_back(effect, membership);
      }
    }
    // Not while the list is walked: an end takes the member out of it.
    for (const auto& [effect, membership] : changed) Apply(effect, delivery, *membership);
    changed.clear();
  }
}

void LocalRooms::Remember(std::string_view room, const Deliveries& deliveries) {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return;
  const int64_t now_ms = SteadyNowMs();
  for (const Delivery& delivery : deliveries) Learn(at->second, delivery, now_ms);
}

void LocalRooms::Learn(Room& room, const Delivery& delivery, int64_t now_ms) {
  for (const auto& event : delivery.events) room.last_events.Append(event, now_ms);
  if (delivery.kind == Delivery::Kind::kJoined) room.shown.Insert(delivery.user);
  if (delivery.kind == Delivery::Kind::kLeft) room.shown.Erase(delivery.user);
}

void LocalRooms::ShowUsers(std::string_view room,
                           const google::protobuf::RepeatedPtrField<std::string>& users, size_t total) {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  if (at != rooms_.end()) at->second.shown.Begin(users, total);
}

std::vector<std::string> LocalRooms::TakeUnshown(
    std::string_view room, const google::protobuf::RepeatedPtrField<std::string>& users) {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? std::vector<std::string>() : at->second.shown.TakeUnshown(users);
}

const ShownUsers* LocalRooms::ShownIn(std::string_view room) const {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? nullptr : &at->second.shown;
}

const LastEvents* LocalRooms::LastEventsOf(std::string_view room) const {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? nullptr : &at->second.last_events;
}

const Membership* LocalRooms::Find(std::string_view room, uint64_t session) const {
  loop_.AssertHere();
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return nullptr;
  const auto& seats = at->second.seats;
  const auto seat = std::find_if(seats.begin(), seats.end(),
                                 [&](const Membership* one) { return one->session_id() == session; });
  return seat == seats.end() ? nullptr : *seat;
}

bool LocalRooms::Holds(std::string_view room, uint64_t session, std::string_view token) const {
  const Membership* const found = Find(room, session);
  return found != nullptr && found->token() == token;
}

std::vector<Membership*> LocalRooms::JoinedAt(std::string_view server) const {
  loop_.AssertHere();
  std::vector<Membership*> found;
  for (const auto& [name, room] : rooms_) {
    for (Membership* const seat : room.seats) {
      if (seat->joined() && seat->at().server == server) found.push_back(seat);
    }
  }
  return found;
}

}  // namespace hubbub::connector
