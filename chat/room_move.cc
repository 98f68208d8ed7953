// How a room goes from one chat server to another, and how its places come back to it.
#include <algorithm>
#include <memory>
#include <utility>

#include "chat/room.h"

namespace hubbub::chat {

RestoreResult Room::Restore(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms) {
  const auto life = claim.epoch == epoch_ ? earlier_.end() : earlier_.find(claim.epoch);
  const bool silent = life != earlier_.end() && !newcomers_;
  ShowNoTimeBefore(claim.time_ms);
  RestoreResult result;
  for (size_t i = 0; i < claim.places.size(); ++i) {
    const RestoredPlace& place = claim.places[i];
    // The same client has come by another session since, with the token that it goes on with: that one has
    // the place.
    const auto member = by_user_.find(std::string_view(place.user));
    const bool taken_since =
        member != by_user_.end() && !place.token.empty() &&
        std::any_of(member->second->places.begin(), member->second->places.end(), [&](const Place& p) {
          const bool same =
              p.session == place.session && p.subscriber->connector() == claim.subscriber->connector();
          return !same && TokenHash(p.token) == TokenHash(place.token);
        });
    if (taken_since) {
      result.replaced.push_back(static_cast<uint32_t>(i));
      continue;
    }
    const absl::StatusOr<bool> added = AddPlace(
        place.user, {claim.subscriber, place.session, place.token, place.address, place.wait_ms}, place.token,
        policy == DuplicateUser::kAllow ? policy : DuplicateUser::kRefuse, now_ms, silent);
    if (!added.ok()) result.replaced.push_back(static_cast<uint32_t>(i));
  }
  // What the places were pushed on the way here they get a second time, and know by its offset.
  if (life != earlier_.end()) {
    result.missed = SinceEarlier(life->second, claim.offset);
  } else {
    result.missed = recent_.Since(claim.epoch == epoch_ ? claim.offset : 0);
  }
  result.users = FirstUsers();
  result.total = members_.size();
  result.epoch = epoch_;
  result.offset = offset_;
  return result;
}

void Room::GoOnFrom(const EarlierLives& earlier, int64_t now_ms) {
  for (const auto& [epoch, events] : earlier) {
    if (epoch == epoch_ || epoch == 0) continue;
    auto& known = earlier_[epoch];
    for (const auto& [offset, event] : events) {
      if (!known.emplace(offset, event).second) continue;
      earlier_bytes_ += event->memory_bytes();
      if (event->id.empty()) continue;
      Remember({event->user,
                event->id,
                {.epoch = epoch,
                 .offset = offset,
                 .time_ms = event->time_ms,
                 .recipients = 0,
                 .at_ms = event->at_ms}});
    }
  }
  earlier_ms_ = now_ms;
}

RoomState Room::State(int64_t now_ms) const {
  RoomState state{.room = name_,
                  .epoch = epoch_,
                  .offset = offset_,
                  .time_ms = shown_ms_,
                  .places = {},
                  .recent_events = recent_.All(),
                  .recent_ids = ids_.Entries(),
                  .earlier = earlier_,
                  .kept = kept_.Entries(),
                  .newcomers = newcomers_};
  for (KeptNames::Entry& entry : state.kept) entry.kept.until_ms -= now_ms;
  state.places.reserve(places_);
  for (const Member& member : members_) {
    for (const Place& p : member.places)
      state.places.push_back(
          {member.user, p.subscriber->connector(), p.session, p.token, p.address, p.wait_ms});
  }
  return state;
}

std::vector<SubscriberPtr> Room::Subscribers() const {
  std::vector<SubscriberPtr> subscribers;
  subscribers.reserve(places_);
  for (const Member& member : members_) {
    for (const Place& p : member.places) subscribers.push_back(p.subscriber);
  }
  return subscribers;
}

void Room::Adopt(const RoomState& state, const std::vector<SubscriberPtr>& subscribers, int64_t now_ms) {
  offset_ = state.offset;
  ShowNoTimeBefore(state.time_ms);
  recent_.StartAfter(state.recent_events.empty() ? state.offset : state.recent_events.front()->offset - 1);
  for (const EventPtr& event : state.recent_events) recent_.Append(event);
  for (const RecentIds::Entry& send : state.recent_ids) Remember(send);
  GoOnFrom(state.earlier, now_ms);
  newcomers_ = state.newcomers;
  for (size_t i = 0; i < state.places.size(); ++i) {
    const RoomState::Place& place = state.places[i];
    // What stood there stands here, whatever the policy is by now.
    (void)AddPlace(place.user, {subscribers[i], place.session, place.token, place.address, place.wait_ms}, {},
                   DuplicateUser::kAllow, now_ms, /*silent=*/true);
  }
  for (KeptNames::Entry entry : state.kept) {
    entry.kept.until_ms = now_ms + std::min(entry.kept.until_ms, limits_.grace_ms);
    kept_.Insert(entry.user, entry.kept, now_ms);
  }
}

void Room::Unsettle() {
  settled_ = false;
  for (const Listener& l : listeners_) index_.Erase(l.subscriber->lease(), this);
}

void Room::Settle(int64_t now_ms) {
  settled_ = true;
  std::vector<uint64_t> ended;
  for (const Listener& l : listeners_) {
    index_.Insert(l.subscriber->lease(), this);
    if (l.subscriber->ended()) ended.push_back(l.subscriber->lease());
  }
  for (const uint64_t lease : ended) Drop(lease, places_, now_ms);
}

void Room::PushMoved(const std::string& server) {
  auto moved = std::make_shared<Event>();
  moved->room = name_;
  moved->epoch = epoch_;
  moved->time_ms = ShowTime();
  moved->kind = Event::Kind::kMoved;
  moved->target = server;
  const EventPtr event = std::move(moved);
  PushToAll(event);
}

}  // namespace hubbub::chat
