#include "chat/room.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// Takes as long for a wrong token as for the right one, so that answers do not help to guess it.
bool SameToken(std::string_view a, std::string_view b) {
  if (a.empty() || a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

// Of the newest places, if a user has very many.
std::vector<uint64_t> HashesOf(const std::vector<Place>& places) {
  constexpr size_t kMost = 64;
  std::vector<uint64_t> hashes;
  for (auto p = places.rbegin(); p != places.rend() && hashes.size() < kMost; ++p) {
    const uint64_t hash = TokenHash(p->token);
    if (hash != 0 && std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace

absl::StatusOr<AddResult> Room::Add(std::string_view user, Place place, std::string_view resume_token,
                                    DuplicateUser policy, int64_t now_ms, std::optional<SeenPoint> seen) {
  // Before the place is there: its own Joined event is nothing that was missed.
  std::optional<std::vector<EventPtr>> missed;
  const ShownTokens tokens(resume_token, place.token);
  if (seen) missed = MissedBy(user, *seen, tokens);
  absl::StatusOr<bool> resumed = true;
  if (Place* const left = policy == DuplicateUser::kRefuse ? LeftBehind(user, place, tokens) : nullptr) {
    const int64_t wait_ms = WaitFor(*left, place);
    if (wait_ms > 0) return NameIsKept(user, wait_ms);
    TakeOver(std::string(user), *left, std::move(place));
  } else {
    const int64_t wait_ms =
        policy == DuplicateUser::kRefuse ? kept_.WaitFor(user, tokens, place.address, now_ms) : 0;
    if (wait_ms > 0 && !by_user_.contains(user)) return NameIsKept(user, wait_ms);
    resumed = AddPlace(user, std::move(place), resume_token, policy, now_ms, /*silent=*/false);
  }
  if (!resumed.ok()) return resumed.status();
  AddResult result = Answer(*resumed);
  result.missed = std::move(missed);
  return result;
}

absl::StatusOr<bool> Room::AddPlace(std::string_view user, Place place, std::string_view resume_token,
                                    DuplicateUser policy, int64_t now_ms, bool silent) {
  const auto found = by_user_.find(user);
  if (found != by_user_.end()) {
    Member& member = *found->second;
    for (Place& p : member.places) {
      if (!SameToken(p.token, resume_token) && !SameToken(p.token, place.token)) continue;
      const bool same = p.subscriber == place.subscriber && p.session == place.session;
      if (same) {
        p.token = std::move(place.token);
      } else {
        TakeOver(member.user, p, std::move(place));
      }
      return true;
    }
    for (const Place& p : member.places) {
      if (p.subscriber == place.subscriber && p.session == place.session) {
        return absl::AlreadyExistsError(
            fmt::format("user \"{}\" is in room \"{}\" by session {} already", user, name_, place.session));
      }
    }
    if (policy == DuplicateUser::kRefuse) {
      return absl::AlreadyExistsError(fmt::format(
          "user \"{}\" is in room \"{}\" already: leave first, or show the resume_token of that session",
          user, name_));
    }
    if (policy == DuplicateUser::kReplace) {
      TakeOver(member.user, member.places.back(), std::move(place));
      return true;
    }
  }
  if (places_ >= limits_.max_places) {
    return absl::ResourceExhaustedError(
        fmt::format("room \"{}\" is full: it holds {} sessions, the most allowed", name_, places_));
  }
  ++places_;
  Retain(place.subscriber);
  if (found != by_user_.end()) {
    found->second->places.push_back(std::move(place));
    return false;
  }
  Member& member = members_.emplace_back();
  member.user = user;
  member.places.push_back(std::move(place));
  by_user_.emplace(member.user, std::prev(members_.end()));
  kept_.Erase(user);
  if (!silent) {
    newcomers_ = true;
    PushToAll(Record(Event::Kind::kJoined, user, now_ms));
  }
  return false;
}

absl::StatusOr<uint64_t> Room::Kick(std::string_view user, int64_t now_ms) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) {
    return absl::NotFoundError(fmt::format("user \"{}\" is not in room \"{}\"", user, name_));
  }
  // Pushed before the places end, so that the connectors of the one who leaves learn of it.
  PushToAll(Record(Event::Kind::kLeft, user, now_ms));
  Erase(found->second);
  return offset_;
}

Place* Room::LeftBehind(std::string_view user, const Place& newcomer, const ShownTokens& tokens) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return nullptr;
  Place& place = found->second->places.back();
  const bool its_own = tokens.Fit(TokenHash(place.token)) || place.subscriber == newcomer.subscriber;
  return its_own || !place.subscriber->unheard_for() ? nullptr : &place;
}

int64_t Room::KeptFor(int64_t wait_ms) const {
  return wait_ms == 0 ? limits_.grace_ms : std::min(wait_ms, limits_.grace_ms);
}

int64_t Room::WaitFor(const Place& left, const Place& newcomer) const {
  if (left.wait_ms != 0 && left.address != 0 && left.address == newcomer.address) return 0;
  const auto unheard = left.subscriber->unheard_for();
  const int64_t wait_ms = KeptFor(left.wait_ms) - (unheard ? unheard->count() : 0);
  // Nobody takes the place of who has a token without it: the end of the lease ends it.
  return std::max<int64_t>(wait_ms, left.wait_ms == 0 ? 1 : 0);
}

absl::Status Room::NameIsKept(std::string_view user, int64_t wait_ms) const {
  return absl::AlreadyExistsError(fmt::format(
      "user \"{}\" was cut off from room \"{}\" just now, and the name is kept for the return: try "
      "again in {} s, or show the resume_token of that session",
      user, name_, (wait_ms + 999) / 1000));
}

uint64_t Room::KickPlace(std::string_view user, PlaceId id, int64_t now_ms, std::optional<KeepName> keep) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return 0;
  std::vector<Place>& places = found->second->places;
  const auto place = std::find_if(places.begin(), places.end(), [id](const Place& p) {
    return p.subscriber->lease() == id.lease && p.session == id.session;
  });
  if (place == places.end()) return 0;
  if (places.size() > 1) {
    Release(*place->subscriber);
    --places_;
    places.erase(place);
    return 0;
  }
  if (keep) {
    kept_.Insert(user,
                 {.token = TokenHash(place->token),
                  .address = keep->wait_ms == 0 ? 0 : place->address,
                  .until_ms = now_ms + KeptFor(keep->wait_ms)},
                 now_ms);
  }
  const EventPtr left = Record(Event::Kind::kLeft, user, now_ms);
  Erase(found->second);
  PushToAll(left);
  return left->offset;
}

bool Room::Has(std::string_view user, PlaceId id) const {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return false;
  const std::vector<Place>& places = found->second->places;
  return std::any_of(places.begin(), places.end(), [id](const Place& p) {
    return p.session == id.session && p.subscriber->lease() == id.lease;
  });
}

absl::StatusOr<SendResult> Room::Send(std::string_view from, std::string_view target,
                                      std::string_view content, int64_t now_ms, std::string_view id,
                                      PlaceId sender) {
  if (const auto sent = id.empty() ? std::nullopt : ids_.Find(from, id, now_ms)) {
    return SendResult{.offset = sent->offset,
                      .epoch = sent->epoch,
                      .time_ms = sent->time_ms,
                      .recipients = sent->recipients,
                      .repeated = true};
  }
  if (sender.lease != 0 && !Has(from, sender)) {
    return absl::PermissionDeniedError(
        fmt::format("user \"{}\" is not in room \"{}\" any more by session {}", from, name_, sender.session));
  }
  absl::StatusOr<SendResult> result = SendNew(from, target, content, now_ms, id);
  if (result.ok() && !id.empty()) {
    ids_.Insert(from, id,
                {.epoch = epoch_,
                 .offset = result->offset,
                 .time_ms = result->time_ms,
                 .recipients = result->recipients,
                 .at_ms = now_ms});
  }
  return result;
}

absl::StatusOr<SendResult> Room::SendNew(std::string_view from, std::string_view target,
                                         std::string_view content, int64_t now_ms, std::string_view id) {
  if (target == kEverybody) {
    PushToAll(Record(Event::Kind::kMessage, from, now_ms, target, content, id));
    return SendResult{
        .offset = offset_, .epoch = epoch_, .time_ms = shown_ms_, .recipients = users(), .repeated = false};
  }
  const auto found = by_user_.find(target);
  if (found == by_user_.end()) {
    return absl::NotFoundError(fmt::format("target \"{}\" is not in room \"{}\"", target, name_));
  }
  const std::vector<Place>& places = found->second->places;
  const EventPtr message = Record(Event::Kind::kMessage, from, now_ms, target, content, id, HashesOf(places));
  for (auto p = places.begin(); p != places.end(); ++p) {
    const bool told =
        std::any_of(places.begin(), p, [p](const Place& q) { return q.subscriber == p->subscriber; });
    if (!told) p->subscriber->Push(message);
  }
  return SendResult{
      .offset = offset_, .epoch = epoch_, .time_ms = shown_ms_, .recipients = 1, .repeated = false};
}

size_t Room::Drop(uint64_t lease, size_t max_places, int64_t now_ms) {
  // Found first and ended afterwards, because ending a place changes what is walked here.
  std::vector<std::pair<std::string, uint64_t>> places;
  for (auto member = members_.begin(); member != members_.end() && places.size() < max_places; ++member) {
    for (const Place& p : member->places) {
      if (p.subscriber->lease() == lease && places.size() < max_places)
        places.emplace_back(member->user, p.session);
    }
  }
  for (const auto& [user, session] : places) KickPlace(user, {lease, session}, now_ms);
  return places.size();
}

RoomInfo Room::Info() const {
  RoomInfo info{.epoch = epoch_, .offset = offset_, .members = {}, .total = places_};
  for (const Member& member : members_) {
    for (const Place& p : member.places) {
      if (info.members.size() >= limits_.max_answer_places) return info;
      info.members.push_back({member.user, p.subscriber->connector(), p.session});
    }
  }
  return info;
}

void Room::Retain(const SubscriberPtr& subscriber) {
  for (Listener& l : listeners_) {
    if (l.subscriber != subscriber) continue;
    ++l.places;
    return;
  }
  listeners_.push_back({subscriber, 1});
  if (settled_) index_.Insert(subscriber->lease(), this);
}

void Room::Release(const Subscriber& subscriber) {
  const auto it = std::find_if(listeners_.begin(), listeners_.end(),
                               [&](const Listener& l) { return l.subscriber.get() == &subscriber; });
  if (it == listeners_.end() || --it->places > 0) return;
  if (settled_) index_.Erase(subscriber.lease(), this);
  listeners_.erase(it);
}

void Room::TakeOver(const std::string& user, Place& old, Place place) {
  auto replaced = std::make_shared<Event>();
  replaced->room = name_;
  replaced->epoch = epoch_;
  replaced->time_ms = ShowTime();
  replaced->kind = Event::Kind::kReplaced;
  replaced->user = user;
  replaced->session = old.session;
  old.subscriber->Push(std::move(replaced));
  Retain(place.subscriber);
  std::swap(old, place);
  Release(*place.subscriber);
}

void Room::Erase(Members::iterator member) {
  for (const Place& p : member->places) Release(*p.subscriber);
  places_ -= member->places.size();
  by_user_.erase(by_user_.find(std::string_view(member->user)));
  members_.erase(member);
}

EventPtr Room::Record(Event::Kind kind, std::string_view user, int64_t now_ms, std::string_view target,
                      std::string_view content, std::string_view id, std::vector<uint64_t> for_tokens) {
  auto event = std::make_shared<Event>();
  event->room = name_;
  event->epoch = epoch_;
  event->offset = ++offset_;
  event->time_ms = ShowTime();
  event->at_ms = now_ms;
  event->kind = kind;
  event->user = user;
  event->target = target;
  event->content = content;
  event->id = id;
  event->for_tokens = std::move(for_tokens);
  recent_.Append(event);
  return event;
}

void Room::PushToAll(const EventPtr& event) const {
  for (const Listener& l : listeners_) l.subscriber->Push(event);
}

std::optional<std::vector<EventPtr>> Room::Since(SeenPoint seen) const {
  if (seen.epoch == epoch_) return recent_.Since(seen.offset);
  const auto life = earlier_.find(seen.epoch);
  if (life == earlier_.end() || life->second.empty() || life->second.begin()->first > seen.offset + 1)
    return std::nullopt;
  return SinceEarlier(life->second, seen.offset);
}

std::optional<std::vector<EventPtr>> Room::SinceEarlier(const std::map<uint64_t, EventPtr>& life,
                                                        uint64_t offset) const {
  const auto present = recent_.Since(0);
  if (!present) return std::nullopt;
  std::vector<EventPtr> events;
  for (auto event = life.upper_bound(offset); event != life.end(); ++event) events.push_back(event->second);
  events.insert(events.end(), present->begin(), present->end());
  return events;
}

std::optional<std::vector<EventPtr>> Room::MissedBy(std::string_view user, SeenPoint seen,
                                                    const ShownTokens& tokens) const {
  auto events = Since(seen);
  if (!events) return std::nullopt;
  std::erase_if(*events, [&](const EventPtr& event) {
    if (event->kind != Event::Kind::kMessage) return event->user == user;
    if (event->target == kEverybody) return false;
    // A name is anybody's who comes by it; the token is not.
    const auto& hashes = event->for_tokens;
    return event->target != user ||
           std::none_of(hashes.begin(), hashes.end(), [&](uint64_t hash) { return tokens.Fit(hash); });
  });
  return events;
}

void Room::Expire(int64_t now_ms) {
  // Whoever has not come back by then will not.
  constexpr int64_t kEarlierMs = 60'000;
  recent_.Expire(now_ms);
  ids_.Expire(now_ms);
  kept_.Expire(now_ms);
  if (!earlier_.empty() && now_ms - earlier_ms_ > kEarlierMs) ForgetEarlier();
}

std::vector<std::string> Room::FirstUsers() const {
  std::vector<std::string> users;
  size_t bytes = 0;
  for (const Member& member : members_) {
    bytes += member.user.size();
    if (bytes > limits_.max_answer_bytes) break;
    users.push_back(member.user);
  }
  return users;
}

AddResult Room::Answer(bool resumed) const {
  return {.users = FirstUsers(),
          .total = members_.size(),
          .epoch = epoch_,
          .offset = offset_,
          .resumed = resumed,
          .missed = {}};
}

}  // namespace hubbub::chat
