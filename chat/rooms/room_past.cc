#include "chat/rooms/room_past.h"

#include <algorithm>
#include <utility>

namespace hubbub::chat {

std::optional<std::vector<EventPtr>> RoomPast::MissedBy(std::string_view user, SeenPoint seen,
                                                        const ShownTokens& tokens) const {
  auto events = Since(seen);
  if (!events) return std::nullopt;
  // Whether it may be shown is not known, so it is not known either that nothing was missed.
  const auto in_doubt = [&](const EventPtr& event) { return event->tokens_unknown && event->target == user; };
  if (std::any_of(events->begin(), events->end(), in_doubt)) return std::nullopt;
  std::erase_if(*events, [&](const EventPtr& event) {
    if (event->kind != Event::Kind::kMessage) return event->user == user;
    if (event->target == kEverybody) return false;
    // Anybody may come by a name; a token proves who it is.
    const auto& hashes = event->for_tokens;
    return event->target != user ||
           std::none_of(hashes.begin(), hashes.end(), [&](uint64_t hash) { return tokens.Fit(hash); });
  });
  return events;
}

std::optional<std::vector<EventPtr>> RoomPast::MissedSince(const RoomClaim& claim, uint64_t life) const {
  if (life != 0) {
    if (claim.epoch != epoch_) return std::nullopt;
    auto events = recent_.Since(claim.offset);
    const auto changes = changes_.Since(claim.life == life ? claim.change : 0);
    if (!events || !changes) return std::nullopt;
    events->insert(events->end(), changes->begin(), changes->end());
    return events;
  }
  if (claim.epoch == epoch_) return recent_.Since(claim.offset);
  const auto earlier = earlier_.find(claim.epoch);
  return earlier == earlier_.end() ? recent_.Since(0) : SinceEarlier(earlier->second, claim.offset);
}

std::optional<std::vector<EventPtr>> RoomPast::Since(SeenPoint seen) const {
  if (seen.epoch == epoch_) return recent_.Since(seen.offset);
  const auto life = earlier_.find(seen.epoch);
  if (life == earlier_.end() || life->second.empty() || life->second.begin()->first > seen.offset + 1)
    return std::nullopt;
  return SinceEarlier(life->second, seen.offset);
}

std::optional<std::vector<EventPtr>> RoomPast::SinceEarlier(const std::map<uint64_t, EventPtr>& life,
                                                            uint64_t offset) const {
  const auto present = recent_.Since(0);
  if (!present) return std::nullopt;
  std::vector<EventPtr> events;
  for (auto event = life.upper_bound(offset); event != life.end(); ++event) {
    // What no connector remembered any more was perhaps for this one, and is not told as if it had not been.
    if (event->first != offset + 1 + events.size()) return std::nullopt;
    events.push_back(event->second);
  }
  events.insert(events.end(), present->begin(), present->end());
  return events;
}

void RoomPast::GoOnFrom(const EarlierLives& earlier, int64_t now_ms) {
  for (const auto& [epoch, events] : earlier) {
    if (epoch == epoch_ || epoch == 0) continue;
    auto& known = earlier_[epoch];
    for (const auto& [offset, event] : events) {
      if (!known.emplace(offset, event).second) continue;
      earlier_bytes_ += event->memory_bytes();
      if (event->id.empty()) continue;
      RememberSend(event->user, event->id,
                   {.epoch = epoch,
                    .offset = offset,
                    .time_ms = event->time_ms,
                    .recipients = 0,
                    .at_ms = event->at_ms});
    }
  }
  earlier_ms_ = now_ms;
}

void RoomPast::Save(RoomState& state) const {
  state.recent_events = recent_.All();
  state.recent_changes = changes_.All();
  state.recent_ids = ids_.Entries();
  state.earlier = earlier_;
}

void RoomPast::Load(const RoomState& state, int64_t now_ms) {
  recent_.StartAfter(state.recent_events.empty() ? state.offset : state.recent_events.front()->offset - 1);
  for (const EventPtr& event : state.recent_events) recent_.Append(event);
  changes_.StartAfter(state.recent_changes.empty() ? state.change : state.recent_changes.front()->change - 1);
  for (const EventPtr& change : state.recent_changes) changes_.Append(change);
  for (const RecentIds::Entry& send : state.recent_ids) RememberSend(send.from, send.id, send.sent);
  GoOnFrom(state.earlier, now_ms);
}

void RoomPast::Expire(int64_t now_ms) {
  // A client that has not come back by then is not expected.
  constexpr int64_t kEarlierMs = 60'000;
  recent_.Expire(now_ms);
  changes_.Expire(now_ms);
  ids_.Expire(now_ms);
  if (!earlier_.empty() && now_ms - earlier_ms_ > kEarlierMs) ForgetEarlier();
}

void RoomPast::ShrinkTo(size_t max_bytes) {
  if (bytes() <= max_bytes) return;
  ForgetEarlier();
  recent_.ShrinkTo(max_bytes / 2);
  changes_.ShrinkTo(max_bytes / 4);
  ids_.ShrinkTo(max_bytes / 4);
}

void RoomPast::ForgetEarlier() {
  earlier_.clear();
  earlier_bytes_ = 0;
}

}  // namespace hubbub::chat
