#include "chat/rooms/room.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "fmt/format.h"

namespace hubbub::chat {

absl::StatusOr<AddResult> Room::Add(std::string_view user, Place place, std::string_view resume_token,
                                    DuplicateUser policy, int64_t now_ms, std::optional<SeenPoint> seen) {
  // Before the place is there: the user has not missed their own Joined event.
  std::optional<std::vector<EventPtr>> missed;
  const ShownTokens tokens(resume_token, place.token);
  if (seen) missed = past().MissedBy(user, *seen, tokens);
  absl::StatusOr<Given> given;
  if (Place* const left = policy == DuplicateUser::kRefuse ? LeftBehind(user, place, tokens) : nullptr) {
    const int64_t wait_ms = WaitFor(*left, place, limits_.grace_ms);
    if (wait_ms > 0) return NameIsKept(user, wait_ms);
    given = TakeOver(user, *left, std::move(place));
  } else {
    const int64_t wait_ms =
        policy == DuplicateUser::kRefuse ? kept_.WaitFor(user, tokens, place.address, now_ms) : 0;
    if (wait_ms > 0 && members_.Find(user) == nullptr) return NameIsKept(user, wait_ms);
    given = AddPlace(user, std::move(place), resume_token, policy, now_ms, /*restored=*/false);
  }
  if (!given.ok()) return given.status();
  return AddResult{.users = members_.FirstUsers(limits_.max_answer_bytes),
                   .total = users(),
                   .epoch = epoch(),
                   .offset = offset(),
                   .life = life(),
                   .change = change(),
                   .resumed = given->resumed,
                   .attempt = given->attempt,
                   .missed = std::move(missed)};
}

absl::StatusOr<Room::Given> Room::AddPlace(std::string_view user, Place place, std::string_view resume_token,
                                           DuplicateUser policy, int64_t now_ms, bool restored) {
  RoomMembers::Member* const member = members_.Find(user);
  if (member != nullptr) {
    for (Place& p : member->places) {
      if (!SameToken(p.token, resume_token) && !SameToken(p.token, place.token)) continue;
      const bool same = p.subscriber == place.subscriber && p.session == place.session;
      // Its own place, which may have moved here meanwhile, is the session's whatever the ages say: each way
      // of a message makes them wrong by its length.
      const bool its_own =
          p.session == place.session && p.subscriber->connector() == place.subscriber->connector();
      if (!its_own && place.AskedBefore(p)) {
        return absl::AlreadyExistsError(
            fmt::format("user \"{}\" has come into room \"{}\" by a later session since", user, name()));
      }
      if (!same) return TakeOver(user, p, std::move(place));
      p.token = std::move(place.token);
      p.attempt = std::max(p.attempt, place.attempt);
      p.asked_ms = std::max(p.asked_ms, place.asked_ms);
      return Given{.resumed = true, .attempt = p.attempt};
    }
    if (members_.Has(user, {place.subscriber->lease(), place.session})) {
      return absl::AlreadyExistsError(
          fmt::format("user \"{}\" is in room \"{}\" by session {} already", user, name(), place.session));
    }
    if (policy == DuplicateUser::kRefuse) {
      return absl::AlreadyExistsError(fmt::format(
          "user \"{}\" is in room \"{}\" already: leave first, or show the resume token of that session",
          user, name()));
    }
    if (policy == DuplicateUser::kReplace) return TakeOver(user, member->places.back(), std::move(place));
  }
  if (places() >= limits_.max_places) {
    return absl::ResourceExhaustedError(
        fmt::format("room \"{}\" is full: it holds {} sessions, the most allowed", name(), places()));
  }
  place.attempt = std::max<uint64_t>(place.attempt, 1);
  const Given given{.resumed = false, .attempt = place.attempt};
  if (member != nullptr) {
    members_.Add(user, std::move(place));
    return given;
  }
  kept_.Erase(user);
  const bool awaited = awaited_.Erase(user);
  // Those who are here since before the loss show the user already.
  const bool is_news = newcomers_ || !(restored || awaited);
  // Those see the user leave first, so that nobody shows it twice.
  if (is_news && awaited) members_.PushToAll(events_.Presence(Event::Kind::kLeft, user, now_ms));
  members_.Add(user, std::move(place));
  if (is_news) members_.PushToAll(events_.Presence(Event::Kind::kJoined, user, now_ms));
  newcomers_ = newcomers_ || !restored;
  return given;
}

absl::StatusOr<uint64_t> Room::Kick(std::string_view user, int64_t now_ms) {
  if (members_.Find(user) == nullptr) {
    return absl::NotFoundError(fmt::format("user \"{}\" is not in room \"{}\"", user, name()));
  }
  // Pushed before the places end, so that the connectors of the user who leaves learn of it.
  const EventPtr left = events_.Presence(Event::Kind::kLeft, user, now_ms);
  members_.PushToAll(left);
  members_.Remove(user);
  return left->offset;
}

uint64_t Room::KickPlace(std::string_view user, PlaceId id, int64_t now_ms, std::optional<KeepName> keep) {
  RoomMembers::Member* const member = members_.Find(user);
  if (member == nullptr || !members_.Has(user, id)) return 0;
  if (member->places.size() > 1) {
    members_.RemovePlace(*member, id);
    return 0;
  }
  if (keep) {
    const Place& place = member->places.front();
    kept_.Insert(user,
                 {.token = TokenHash(place.token),
                  .address = keep->wait_ms == 0 ? 0 : place.address,
                  .until_ms = now_ms + KeptFor(keep->wait_ms, limits_.grace_ms)},
                 now_ms);
  }
  const EventPtr left = events_.Presence(Event::Kind::kLeft, user, now_ms);
  members_.Remove(user);
  members_.PushToAll(left);
  return left->offset;
}

size_t Room::Drop(uint64_t lease, size_t max_places, int64_t now_ms) {
  const auto places = members_.OfLease(lease, max_places);
  for (const auto& [user, place] : places) KickPlace(user, place, now_ms);
  return places.size();
}

RestoreResult Room::Restore(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms) {
  std::vector<uint32_t> replaced = RestorePlaces(claim, policy, now_ms);
  AwaitUsers(claim, now_ms);
  RestoreResult result = MissedSince(claim);
  result.replaced = std::move(replaced);
  return result;
}

std::vector<uint32_t> Room::RestorePlaces(const RoomClaim& claim, DuplicateUser policy, int64_t now_ms) {
  const bool back = past().Continues(claim.epoch) || (awaits_members_ && claim.epoch == epoch());
  ShowNoTimeBefore(claim.time_ms);
  const DuplicateUser strict = policy == DuplicateUser::kAllow ? policy : DuplicateUser::kRefuse;
  std::vector<uint32_t> replaced;
  for (size_t i = 0; i < claim.places.size(); ++i) {
    const RestoredPlace& place = claim.places[i];
    // The same client may have come by another session since, with the token that it uses from now on: that
    // session has the place.
    const auto came_since = [&](const Place& p) {
      const bool same =
          p.session == place.session && p.subscriber->connector() == claim.subscriber->connector();
      return !same && TokenHash(p.token) == TokenHash(place.token) && p.attempt >= place.attempt;
    };
    const RoomMembers::Member* const member = members_.Find(place.user);
    const bool taken = member != nullptr && !place.token.empty() &&
                       std::any_of(member->places.begin(), member->places.end(), came_since);
    Place again{claim.subscriber, place.session, place.token,   place.address,
                place.wait_ms,    place.attempt, place.asked_ms};
    if (taken || !AddPlace(place.user, std::move(again), place.token, strict, now_ms, /*restored=*/back).ok())
      replaced.push_back(static_cast<uint32_t>(i));
  }
  return replaced;
}

void Room::AwaitUsers(const RoomClaim& claim, int64_t now_ms) {
  for (const std::string& user : claim.shown_users) {
    if (members_.Find(user) == nullptr) awaited_.Insert(user, now_ms + limits_.grace_ms);
  }
}

void Room::Expire(int64_t now_ms) {
  past().Expire(now_ms);
  kept_.Expire(now_ms);
  messages_.Shrink();
  for (const std::string& user : awaited_.TakeLate(now_ms))
    members_.PushToAll(events_.Presence(Event::Kind::kLeft, user, now_ms));
}

RestoreResult Room::MissedSince(const RoomClaim& claim) const {
  // What was pushed to the places on the way here comes a second time; they know it by its offset.
  return {.users = members_.FirstUsers(limits_.max_answer_bytes),
          .total = users(),
          .epoch = epoch(),
          .offset = offset(),
          .life = life(),
          .change = change(),
          .missed = past().MissedSince(claim, life()),
          .replaced = {}};
}

RoomState Room::State(int64_t now_ms) const {
  RoomState state{.room = name(),
                  .epoch = epoch(),
                  .offset = offset(),
                  .life = life(),
                  .change = change(),
                  .time_ms = events_.shown_ms(),
                  .places = members_.Places(),
                  .recent_events = {},
                  .recent_changes = {},
                  .recent_ids = {},
                  .earlier = {},
                  .kept = kept_.Entries(),
                  .awaited = awaited_.users(),
                  .awaited_ms = awaited_.until_ms() - now_ms,
                  .newcomers = newcomers_};
  past().Save(state);
  for (KeptNames::Entry& entry : state.kept) entry.kept.until_ms -= now_ms;
  return state;
}

void Room::Adopt(const RoomState& state, const std::vector<SubscriberPtr>& subscribers, int64_t now_ms) {
  events_.StartAfter(state.offset, state.life, state.change);
  ShowNoTimeBefore(state.time_ms);
  past().Load(state, now_ms);
  for (size_t i = 0; i < state.places.size(); ++i) {
    const RoomState::Place& place = state.places[i];
    // What was allowed there is allowed here, whatever the policy of this server is.
    (void)AddPlace(place.user,
                   {subscribers[i], place.session, place.token, place.address, place.wait_ms, place.attempt,
                    place.asked_ms},
                   {}, DuplicateUser::kAllow, now_ms, /*restored=*/true);
  }
  newcomers_ = state.newcomers;
  for (const std::string& user : state.awaited)
    awaited_.Insert(user, now_ms + std::min(state.awaited_ms, limits_.grace_ms));
  for (KeptNames::Entry entry : state.kept) {
    entry.kept.until_ms = now_ms + std::min(entry.kept.until_ms, limits_.grace_ms);
    kept_.Insert(entry.user, entry.kept, now_ms);
  }
}

RoomInfo Room::Info() const {
  RoomInfo info{.epoch = epoch(), .offset = offset(), .members = {}, .total = places()};
  for (const RoomMembers::Member& member : members_.all()) {
    for (const Place& p : member.places) {
      if (info.members.size() >= limits_.max_answer_places) return info;
      info.members.push_back({member.user, p.subscriber->connector(), p.session});
    }
  }
  return info;
}

Place* Room::LeftBehind(std::string_view user, const Place& newcomer, const ShownTokens& tokens) {
  RoomMembers::Member* const member = members_.Find(user);
  if (member == nullptr) return nullptr;
  Place& place = member->places.back();
  const bool its_own = tokens.Fit(TokenHash(place.token)) || place.subscriber == newcomer.subscriber;
  return its_own || !place.subscriber->unheard_for() ? nullptr : &place;
}

absl::Status Room::NameIsKept(std::string_view user, int64_t wait_ms) const {
  return absl::AlreadyExistsError(fmt::format(
      "user \"{}\" was cut off from room \"{}\" just now, and the name is kept for the return: try "
      "again in {} s, or show the resume token of that session",
      user, name(), (wait_ms + 999) / 1000));
}

Room::Given Room::TakeOver(std::string_view user, Place& old, Place place) {
  if (place.attempt == 0) place.attempt = old.attempt + 1;
  const Given given{.resumed = true, .attempt = place.attempt};
  const auto replaced = events_.Notice(Event::Kind::kReplaced);
  replaced->user = user;
  replaced->session = old.session;
  old.subscriber->Push(replaced, nullptr);
  members_.Replace(old, std::move(place));
  return given;
}

void Room::PushMoved(const std::string& server) {
  const auto moved = events_.Notice(Event::Kind::kMoved);
  moved->target = server;
  members_.PushToAll(moved);
}

}  // namespace hubbub::chat
