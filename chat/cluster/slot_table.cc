#include "chat/cluster/slot_table.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "fmt/format.h"
#include "services/base/rendezvous.h"
#include "services/base/slot.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {
namespace {

// FAILED_PRECONDITION that names the owner (rpc::OwnerIn).
absl::Status BelongsTo(std::string_view room, const StoredServer& owner, std::string_view self) {
  absl::Status status = absl::FailedPreconditionError(
      fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, as far as \"{}\" knows: ask there", room,
                  owner.id, owner.address, self));
  rpc::SetOwner(status, owner.id);
  return status;
}

}  // namespace

void SlotTable::OwnAll(bool restoring) {
  MutexLock lock(mu_);
  slots_.assign(kDefaultSlots, Slot{.owner = incarnation_,
                                    .generation = 1,
                                    .state = restoring ? State::kRestoring : State::kOpen,
                                    .lost = restoring ? id_ : std::string(),
                                    .heir = incarnation_});
}

uint64_t SlotTable::epoch() const {
  MutexLock lock(mu_);
  return epoch_;
}

uint64_t SlotTable::incarnation() const {
  MutexLock lock(mu_);
  return incarnation_;
}

void SlotTable::BeginAnew(uint64_t incarnation) {
  MutexLock lock(mu_);
  incarnation_ = incarnation;
  ChooseHeirs();
}

void SlotTable::SetDraining(bool draining) {
  MutexLock lock(mu_);
  draining_ = draining;
  ChooseHeirs();
}

bool SlotTable::draining() const {
  MutexLock lock(mu_);
  return draining_;
}

void SlotTable::SetListed(StringSet ids) {
  MutexLock lock(mu_);
  listed_ = std::move(ids);
}

std::vector<StoredServer> SlotTable::NewlyGone(const StoreView& view) {
  absl::flat_hash_set<uint64_t> owners;
  for (const StoredSlot& row : view.slots) owners.insert(row.owner);
  std::vector<StoredServer> gone;
  absl::flat_hash_set<uint64_t> listed;
  MutexLock lock(mu_);
  for (const StoredServer& server : view.servers) {
    listed.insert(server.incarnation);
    const StoredServer* const known = Find(server.incarnation);
    const bool lived = known == nullptr ? owners.contains(server.incarnation) : !known->gone;
    if (server.gone && lived) gone.push_back(server);
  }
  // The store lists a run that is gone only while it still owns slots.
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && !listed.contains(incarnation)) gone.push_back(server);
  }
  view_is_due_ = !gone.empty();
  return gone;
}

SlotTable::News SlotTable::SetView(const StoreView& view) {
  News news;
  MutexLock lock(mu_);
  view_is_due_ = false;
  epoch_ = view.meta.epoch;
  servers_.clear();
  for (const StoredServer& server : view.servers) {
    news.namesake |= !server.gone && server.id == id_ && server.incarnation != incarnation_;
    servers_.emplace(server.incarnation, server);
  }
  slots_.resize(view.slots.size());
  for (const StoredSlot& row : view.slots) {
    Slot& slot = slots_[static_cast<size_t>(row.slot)];
    // A hand-over that was answered while the view was being read.
    if (row.generation < slot.generation) continue;
    const bool mine = incarnation_ != 0 && row.owner == incarnation_;
    // The rooms of a closed slot are on their way, and the hand-over tells what becomes of them.
    if (Mine(slot) && !mine && slot.state != State::kClosed) news.lost.push_back(row.slot);
    if (mine && !Mine(slot)) {
      // A claim whose answer was lost. What lives agreed to a hand-over, whose rooms are still to come.
      const bool from_living = slot.owner != 0 && !IsFree(slot);
      slot.state = from_living ? State::kClosed : State::kOpen;
      if (!from_living) BeginClaimed(slot);
    }
    slot.owner = row.owner;
    slot.generation = row.generation;
  }
  ChooseHeirs();
  return news;
}

std::vector<int> SlotTable::Wanted() const {
  MutexLock lock(mu_);
  std::vector<int> wanted;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (IsWanted(slots_[i])) wanted.push_back(static_cast<int>(i));
  }
  return wanted;
}

bool SlotTable::AllClaimed() const {
  MutexLock lock(mu_);
  return !view_is_due_ &&
         std::none_of(slots_.begin(), slots_.end(),
                      [&](const Slot& slot) ABSL_NO_THREAD_SAFETY_ANALYSIS { return IsWanted(slot); });
}

std::vector<StoredServer> SlotTable::WantedFrom() const {
  MutexLock lock(mu_);
  absl::flat_hash_map<uint64_t, StoredServer> from;
  for (const Slot& slot : slots_) {
    const StoredServer* const owner = Find(slot.owner);
    if (IsWanted(slot) && owner != nullptr) from.emplace(slot.owner, *owner);
  }
  std::vector<StoredServer> servers;
  for (auto& [incarnation, server] : from) servers.push_back(std::move(server));
  return servers;
}

void SlotTable::BeginClaimed(Slot& slot) {
  const StoredServer* const before = Find(slot.owner);
  slot.state = before == nullptr ? State::kOpen : State::kRestoring;
  slot.lost = before == nullptr ? std::string() : before->id;
}

void SlotTable::Claimed(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& claimed : slots) {
    Slot& slot = slots_[static_cast<size_t>(claimed.slot)];
    if (!Mine(slot)) BeginClaimed(slot);
    slot.owner = incarnation_;
    slot.generation = claimed.generation;
  }
}

void SlotTable::TakenOver(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& taken : slots) {
    Slot& slot = slots_[static_cast<size_t>(taken.slot)];
    slot.owner = incarnation_;
    slot.generation = taken.generation;
    slot.state = State::kClosed;
    slot.lost.clear();
  }
}

void SlotTable::Open(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& opened : slots) {
    Slot& slot = slots_[static_cast<size_t>(opened.slot)];
    if (!Mine(slot)) continue;
    slot.generation = std::max(slot.generation, opened.generation);
    slot.state = State::kOpen;
  }
}

void SlotTable::Restored(const std::vector<std::string>& lost) {
  MutexLock lock(mu_);
  for (Slot& slot : slots_) {
    if (!Mine(slot) || slot.state != State::kRestoring) continue;
    if (std::find(lost.begin(), lost.end(), slot.lost) != lost.end()) continue;
    slot.state = State::kOpen;
    slot.lost.clear();
  }
}

StringMap<std::vector<int>> SlotTable::ToGive() const {
  MutexLock lock(mu_);
  StringMap<std::vector<int>> given;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (Mine(slot) && slot.state == State::kOpen && IsOthers(slot))
      given[Find(slot.heir)->id].push_back(static_cast<int>(i));
  }
  return given;
}

std::vector<SlotGeneration> SlotTable::Close(const std::vector<int>& slots) {
  MutexLock lock(mu_);
  std::vector<SlotGeneration> closed;
  for (const int i : slots) {
    Slot& slot = slots_[static_cast<size_t>(i)];
    if (!Mine(slot) || slot.state != State::kOpen) continue;
    slot.state = State::kClosed;
    closed.push_back({.slot = i, .generation = slot.generation});
  }
  return closed;
}

void SlotTable::Given(const std::vector<SlotGeneration>& slots, uint64_t taker) {
  MutexLock lock(mu_);
  for (const SlotGeneration& given : slots) {
    Slot& slot = slots_[static_cast<size_t>(given.slot)];
    if (given.generation < slot.generation) continue;
    slot.owner = taker;
    slot.generation = given.generation;
  }
}

bool SlotTable::Settled() const {
  MutexLock lock(mu_);
  return std::none_of(slots_.begin(), slots_.end(), [&](const Slot& slot) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return Mine(slot) && (slot.state == State::kClosed || IsOthers(slot));
  });
}

int SlotTable::slots() const {
  MutexLock lock(mu_);
  return static_cast<int>(slots_.size());
}

int SlotTable::owned() const {
  MutexLock lock(mu_);
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(),
                                        [&](const Slot& slot)
                                            ABSL_NO_THREAD_SAFETY_ANALYSIS { return Mine(slot); }));
}

int64_t SlotTable::Held(int slot) const {
  MutexLock lock(mu_);
  const auto i = static_cast<size_t>(slot);
  return i < slots_.size() && Mine(slots_[i]) ? slots_[i].generation : 0;
}

int SlotTable::SlotOfRoom(std::string_view room) const {
  MutexLock lock(mu_);
  return slots_.empty() ? 0 : SlotOf(room, static_cast<int>(slots_.size()));
}

std::string SlotTable::OwnerOf(int slot) const {
  MutexLock lock(mu_);
  const Slot& found = slots_[static_cast<size_t>(slot)];
  return Mine(found) || IsFree(found) ? id_ : Find(found.owner)->id;
}

uint64_t SlotTable::LivingRun(std::string_view id) const {
  MutexLock lock(mu_);
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && server.id == id) return incarnation;
  }
  return 0;
}

bool SlotTable::Lives(uint64_t incarnation) const {
  MutexLock lock(mu_);
  const StoredServer* const server = Find(incarnation);
  return server != nullptr && !server->gone;
}

bool SlotTable::OthersDrain() const {
  MutexLock lock(mu_);
  return std::any_of(servers_.begin(), servers_.end(), [this](const auto& entry) {
    return entry.second.id != id_ && !entry.second.gone && entry.second.draining;
  });
}

std::vector<SlotTable::Peer> SlotTable::Peers() const {
  MutexLock lock(mu_);
  std::vector<Peer> peers;
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && server.id != id_) peers.push_back({server.id, incarnation, server.address});
  }
  return peers;
}

absl::Status SlotTable::MayMake(std::string_view room) const {
  MutexLock lock(mu_);
  if (absl::Status status = CheckMine(room); !status.ok()) return status;
  const Slot& slot = *SlotFor(room);
  switch (slot.state) {
    case State::kOpen:
      return absl::OkStatus();
    case State::kRestoring:
      return absl::AbortedError(
          fmt::format("room \"{}\" is being restored after the loss of chat server \"{}\": try again soon",
                      room, slot.lost));
    case State::kClosed:
      break;
  }
  return absl::AbortedError(
      fmt::format("room \"{}\" is on its way to another chat server: try again soon", room));
}

absl::Status SlotTable::MayTake(std::string_view room) const {
  MutexLock lock(mu_);
  return CheckMine(room);
}

absl::Status SlotTable::MayRecover(std::string_view room) const {
  MutexLock lock(mu_);
  if (absl::Status status = CheckMine(room); !status.ok()) return status;
  if (SlotFor(room)->state != State::kClosed) return absl::OkStatus();
  return absl::AbortedError(
      fmt::format("room \"{}\" is on its way to another chat server: try again soon", room));
}

absl::Status SlotTable::CheckMine(std::string_view room) const {
  const Slot* const slot = SlotFor(room);
  if (slot == nullptr)
    return absl::AbortedError(
        fmt::format("chat server \"{}\" has not reached its store yet: try again soon", id_));
  if (Mine(*slot)) return absl::OkStatus();
  if (!IsFree(*slot)) return BelongsTo(room, *Find(slot->owner), id_);
  return absl::AbortedError(
      fmt::format("room \"{}\" belongs to no chat server just now: try again soon", room));
}

bool SlotTable::IsFree(const Slot& slot) const {
  const StoredServer* const owner = Find(slot.owner);
  return !Mine(slot) && (owner == nullptr || owner->gone);
}

bool SlotTable::IsOthers(const Slot& slot) const {
  if (slot.heir == 0 || slot.heir == incarnation_) return false;
  return draining_ || listed_.contains(Find(slot.heir)->id);
}

bool SlotTable::IsWanted(const Slot& slot) const {
  return slot.heir != 0 && slot.heir == incarnation_ && IsFree(slot);
}

const StoredServer* SlotTable::Find(uint64_t incarnation) const {
  const auto at = servers_.find(incarnation);
  return at == servers_.end() ? nullptr : &at->second;
}

const SlotTable::Slot* SlotTable::SlotFor(std::string_view room) const {
  if (slots_.empty()) return nullptr;
  return &slots_[static_cast<size_t>(SlotOf(room, static_cast<int>(slots_.size())))];
}

void SlotTable::ChooseHeirs() {
  std::vector<StoredServer> able;
  for (const auto& [incarnation, server] : servers_) {
    const bool draining = incarnation == incarnation_ ? draining_ : server.draining;
    if (!server.gone && !draining) able.push_back(server);
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    const StoredServer* const best =
        RendezvousPick(able, SlotKey(static_cast<int>(i)), [](const StoredServer&) { return true; });
    slots_[i].heir = best == nullptr ? 0 : best->incarnation;
  }
}

}  // namespace hubbub::chat
