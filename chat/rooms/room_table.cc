#include "chat/rooms/room_table.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

// The lives that the claims know, with the events of all who have had any of them.
EarlierLives Union(const std::vector<RoomClaim>& claims) {
  EarlierLives lives;
  for (const RoomClaim& claim : claims) {
    auto& events = lives[claim.epoch];
    for (const EventPtr& event : claim.recent_events) {
      if (event->epoch == claim.epoch) events.emplace(event->offset, event);
    }
  }
  return lives;
}

}  // namespace

absl::Status LeaseHasEnded(const Subscriber& subscriber) {
  return absl::FailedPreconditionError(fmt::format("lease {} of connector \"{}\" has ended: subscribe again",
                                                   subscriber.lease(), subscriber.connector()));
}

absl::StatusOr<AddResult> RoomTable::Add(std::string_view room, std::string_view user, Place place,
                                         std::string_view resume_token, std::optional<SeenPoint> seen) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  // Asked under the lock: DropSubscriber, which follows the end of a lease, takes it too.
  if (place.subscriber->ended()) return LeaseHasEnded(*place.subscriber);
  const absl::StatusOr<Room*> found = shards_.FindOrMake(shard, room, &Ownership::MayMake);
  if (!found.ok()) return found.status();
  return shards_.Accounted(shard, **found, [&] {
    return (*found)->Add(user, std::move(place), resume_token, options().duplicate_user, Now(), seen);
  });
}

absl::StatusOr<uint64_t> RoomTable::Kick(std::string_view room, std::string_view user) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  Room* const found = shards_.Find(shard, room);
  if (found == nullptr) return shards_.WhyNotHere(shard, room);
  return shards_.Accounted(shard, *found, [&] { return found->Kick(user, Now()); });
}

absl::StatusOr<uint64_t> RoomTable::KickPlace(std::string_view room, std::string_view user, PlaceId place,
                                              std::optional<KeepName> keep) {
  // A user without the token is let in anyway.
  if (options().duplicate_user != DuplicateUser::kRefuse) keep.reset();
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  Room* const found = shards_.Find(shard, room);
  // Until it has arrived elsewhere, the place may come back with it.
  if (found == nullptr && shard.frozen.contains(room)) return shards_.WhyNotHere(shard, room);
  if (found == nullptr) return 0;
  return shards_.Accounted(shard, *found, [&] { return found->KickPlace(user, place, Now(), keep); });
}

absl::StatusOr<SendResult> RoomTable::Send(std::string_view room, std::string_view from,
                                           std::string_view target, std::string_view content,
                                           std::string_view id, PlaceId sender, Gather* gather,
                                           SendTicket* ticket) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  Room* found = shards_.Find(shard, room);
  if (found == nullptr) {
    if (target != kEverybody) return shards_.WhyNotHere(shard, room);
    if (sender.lease != 0) {
      const absl::Status why = shards_.WhyNotHere(shard, room);
      return absl::IsNotFound(why) ? absl::PermissionDeniedError(why.message()) : why;
    }
    const absl::StatusOr<Room*> created = shards_.FindOrMake(shard, room, &Ownership::MayMake);
    if (!created.ok()) return created.status();
    found = *created;
  }
  const uint64_t before = found->offset();
  const size_t waited = found->messages().unnumbered();
  auto sent = shards_.Accounted(
      shard, *found, [&] { return found->Send(from, target, content, Now(), id, sender, gather, ticket); });
  shard.messages.Add(found->offset() - before);
  if (found->messages().unnumbered() > waited && waited == 0) {
    shard.waiting.insert(found);
    options().log->Wake(room);
  }
  return sent;
}

absl::StatusOr<RoomInfo> RoomTable::Get(std::string_view room) const {
  const Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  const Room* const found = shards_.Find(shard, room);
  if (found == nullptr) return shards_.WhyNotHere(shard, room);
  return found->Info();
}

bool RoomTable::ForgetEvents(std::string_view room, uint64_t offset) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  shard.read.erase(room);
  if (shard.frozen.contains(room)) return false;
  Room* const found = shards_.Find(shard, room);
  if (found == nullptr) return true;
  shards_.Accounted(shard, *found, [&] {
    found->ForgetEvents(offset);
    return 0;
  });
  return true;
}

RoomPage RoomTable::List(size_t page_size, std::string_view after) const {
  const auto by_name = [](const RoomSummary& a, const RoomSummary& b) { return a.room < b.room; };
  // A heap of the first names seen so far, the last of them on top; one more than the page tells if another
  // one follows.
  std::vector<RoomSummary> first;
  for (const Shard& shard : shards_.all()) {
    MutexLock lock(shard.mu);
    for (const auto& [name, room] : shard.rooms) {
      if (std::string_view(name) <= after) continue;
      if (first.size() > page_size) {
        if (name > first.front().room) continue;
        std::pop_heap(first.begin(), first.end(), by_name);
        first.pop_back();
      }
      first.push_back({.room = name, .members = room->users(), .offset = room->offset()});
      std::push_heap(first.begin(), first.end(), by_name);
    }
  }
  std::sort_heap(first.begin(), first.end(), by_name);
  const bool more = first.size() > page_size;
  if (more) first.resize(page_size);
  return {.rooms = std::move(first), .more = more};
}

size_t RoomTable::DropSubscriber(uint64_t lease, size_t max_places) {
  size_t dropped = 0;
  for (Shard& shard : shards_.all()) {
    MutexLock lock(shard.mu);
    while (dropped < max_places) {
      Room* const room = shard.leases.Any(lease);
      if (room == nullptr) break;
      dropped +=
          shards_.Accounted(shard, *room, [&] { return room->Drop(lease, max_places - dropped, Now()); });
    }
  }
  return dropped;
}

RoomTable::Counts RoomTable::counts() const {
  Counts counts{.given = moves_.given(), .taken = moves_.taken(), .restored = restored_.value()};
  for (const Shard& shard : shards_.all()) {
    counts.places += shard.places.value();
    // Messages first: each of them is among the events by then.
    const uint64_t messages = shard.messages.value();
    counts.messages += messages;
    counts.presence += shard.events.value() - messages;
  }
  return counts;
}

absl::StatusOr<RestoreResult> RoomTable::Restore(std::string_view room, const RoomClaim& claim) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  if (claim.subscriber->ended()) return LeaseHasEnded(*claim.subscriber);
  const absl::StatusOr<Room*> found = FindOrRevive(shard, room, &Ownership::MayMake);
  if (!found.ok()) return found.status();
  return shards_.Accounted(shard, **found,
                           [&] { return (*found)->Restore(claim, options().duplicate_user, Now()); });
}

absl::StatusOr<std::vector<RestoreResult>> RoomTable::Recover(std::string_view room,
                                                              std::vector<RoomClaim> claims) {
  return Recover(room, std::move(claims), &Ownership::MayRecover);
}

absl::StatusOr<RestoreResult> RoomTable::RecoverLate(std::string_view room, RoomClaim claim) {
  auto results = Recover(room, {std::move(claim)}, &Ownership::MayMake);
  if (!results.ok()) return results.status();
  return std::move(results->front());
}

absl::StatusOr<std::vector<RestoreResult>> RoomTable::Recover(std::string_view room,
                                                              std::vector<RoomClaim> claims,
                                                              RoomShards::Question question) {
  Shard& shard = shards_.Of(room);
  MutexLock lock(shard.mu);
  const bool is_new = shards_.Find(shard, room) == nullptr;
  const absl::StatusOr<Room*> found = FindOrRevive(shard, room, question);
  if (!found.ok()) return found.status();
  if (is_new) restored_.Add();
  shards_.Accounted(shard, **found, [&] {
    for (const RoomClaim& claim : claims) (*found)->ShowNoTimeBefore(claim.time_ms);
    (*found)->GoOnFrom(Union(claims), Now());
    return 0;
  });
  std::vector<RestoreResult> results(claims.size());
  for (size_t i = 0; i < claims.size(); ++i) {
    // The connector of an ended lease is gone again; nobody waits for its answer.
    if (claims[i].subscriber->ended()) continue;
    results[i].replaced = shards_.Accounted(
        shard, **found, [&] { return (*found)->RestorePlaces(claims[i], options().duplicate_user, Now()); });
  }
  // Now that all are back, each connector is told of all.
  for (size_t i = 0; i < claims.size(); ++i) {
    (*found)->AwaitUsers(claims[i], Now());
    if (claims[i].subscriber->ended()) continue;
    std::vector<uint32_t> replaced = std::move(results[i].replaced);
    results[i] = (*found)->MissedSince(claims[i]);
    results[i].replaced = std::move(replaced);
  }
  return results;
}

absl::StatusOr<Room*> RoomTable::FindOrRevive(Shard& shard, std::string_view room,
                                              RoomShards::Question question) {
  const absl::StatusOr<Room*> found = shards_.FindOrMake(shard, room, question);
  // A room of the log that nobody has entered yet since it was read.
  if (found.ok() && options().log != nullptr && (*found)->places() == 0 && (*found)->change() == 0)
    (*found)->AwaitMembers();
  return found;
}

std::vector<size_t> RoomTable::CountBySlot(int slots) const {
  std::vector<size_t> counts(static_cast<size_t>(slots));
  for (const Shard& shard : shards_.all()) {
    MutexLock lock(shard.mu);
    for (const auto& [name, room] : shard.rooms) ++counts[static_cast<size_t>(SlotOf(name, slots))];
  }
  return counts;
}

std::vector<std::string> RoomTable::InSlot(int slot, int slots) const {
  std::vector<std::string> found;
  const auto& shards = shards_.all();
  // Both are remainders of the same hash.
  const bool one_shard = static_cast<size_t>(slots) % shards.size() == 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    if (one_shard && i != static_cast<size_t>(slot) % shards.size()) continue;
    MutexLock lock(shards[i].mu);
    for (const auto& [name, room] : shards[i].rooms) {
      if (SlotOf(name, slots) == slot) found.push_back(name);
    }
    for (const auto& [name, read] : shards[i].read) {
      if (SlotOf(name, slots) == slot) found.push_back(name);
    }
  }
  return found;
}

}  // namespace hubbub::chat
