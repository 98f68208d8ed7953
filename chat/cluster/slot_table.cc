#include "chat/cluster/slot_table.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "services/base/slot.h"

namespace hubbub::chat {

void SlotTable::OwnAll(bool restoring) {
  MutexLock lock(mu_);
  const uint64_t self = members_.incarnation();
  slots_.assign(kDefaultSlots, SlotRecord());
  for (SlotRecord& slot : slots_) slot.Claim(self, 1, restoring ? members_.self() : "");
  heirs_.assign(slots_.size(), self);
}

uint64_t SlotTable::epoch() const {
  MutexLock lock(mu_);
  return epoch_;
}

uint64_t SlotTable::incarnation() const {
  MutexLock lock(mu_);
  return members_.incarnation();
}

void SlotTable::BeginAnew(uint64_t incarnation) {
  MutexLock lock(mu_);
  members_.BeginAnew(incarnation);
  ChooseHeirs();
}

void SlotTable::SetDraining(bool draining) {
  MutexLock lock(mu_);
  members_.SetDraining(draining);
  ChooseHeirs();
}

bool SlotTable::draining() const {
  MutexLock lock(mu_);
  return members_.draining();
}

void SlotTable::SetListed(StringSet ids) {
  MutexLock lock(mu_);
  members_.SetListed(std::move(ids));
}

std::vector<StoredServer> SlotTable::NewlyGone(const StoreView& view) {
  MutexLock lock(mu_);
  std::vector<StoredServer> gone = members_.NewlyGone(view);
  view_is_due_ = !gone.empty();
  return gone;
}

SlotTable::News SlotTable::SetView(const StoreView& view) {
  News news;
  MutexLock lock(mu_);
  view_is_due_ = false;
  epoch_ = view.meta.epoch;
  news.namesake = members_.SetServers(view.servers);
  slots_.resize(view.slots.size());
  for (const StoredSlot& row : view.slots) {
    SlotRecord& slot = slots_[static_cast<size_t>(row.slot)];
    if (slot.See(row, members_.Find(slot.owner()), members_.incarnation())) news.lost.push_back(row.slot);
  }
  ChooseHeirs();
  return news;
}

std::vector<int> SlotTable::Wanted() const {
  MutexLock lock(mu_);
  std::vector<int> wanted;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (IsWanted(i)) wanted.push_back(static_cast<int>(i));
  }
  return wanted;
}

std::vector<StoredServer> SlotTable::WantedFrom() const {
  MutexLock lock(mu_);
  absl::flat_hash_map<uint64_t, StoredServer> from;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const StoredServer* const owner = members_.Find(slots_[i].owner());
    if (IsWanted(i) && owner != nullptr) from.emplace(owner->incarnation, *owner);
  }
  std::vector<StoredServer> servers;
  for (auto& [incarnation, server] : from) servers.push_back(std::move(server));
  return servers;
}

bool SlotTable::AllClaimed() const {
  MutexLock lock(mu_);
  if (view_is_due_) return false;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (IsWanted(i)) return false;
  }
  return true;
}

void SlotTable::Claimed(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& claimed : slots) {
    SlotRecord& slot = slots_[static_cast<size_t>(claimed.slot)];
    const StoredServer* const before = members_.Find(slot.owner());
    slot.Claim(members_.incarnation(), claimed.generation, before == nullptr ? "" : before->id);
  }
}

void SlotTable::TakenOver(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& taken : slots)
    slots_[static_cast<size_t>(taken.slot)].TakeOver(members_.incarnation(), taken.generation);
}

void SlotTable::Open(const std::vector<SlotGeneration>& slots) {
  MutexLock lock(mu_);
  for (const SlotGeneration& opened : slots)
    slots_[static_cast<size_t>(opened.slot)].Open(members_.incarnation(), opened.generation);
}

void SlotTable::Restored(const std::vector<std::string>& lost) {
  MutexLock lock(mu_);
  for (SlotRecord& slot : slots_) {
    if (IsMine(slot) && std::find(lost.begin(), lost.end(), slot.lost()) == lost.end()) slot.Restored();
  }
}

StringMap<std::vector<int>> SlotTable::ToGive() const {
  MutexLock lock(mu_);
  StringMap<std::vector<int>> given;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const bool is_open = IsMine(slots_[i]) && slots_[i].state() == SlotRecord::State::kOpen;
    if (is_open && members_.MayBeGiven(heirs_[i]))
      given[members_.Find(heirs_[i])->id].push_back(static_cast<int>(i));
  }
  return given;
}

std::vector<SlotGeneration> SlotTable::Close(const std::vector<int>& slots) {
  MutexLock lock(mu_);
  std::vector<SlotGeneration> closed;
  for (const int i : slots) {
    SlotRecord& slot = slots_[static_cast<size_t>(i)];
    if (slot.Close(members_.incarnation())) closed.push_back({.slot = i, .generation = slot.generation()});
  }
  return closed;
}

void SlotTable::Given(const std::vector<SlotGeneration>& slots, uint64_t taker) {
  MutexLock lock(mu_);
  for (const SlotGeneration& given : slots)
    slots_[static_cast<size_t>(given.slot)].Give(taker, given.generation);
}

bool SlotTable::Settled() const {
  MutexLock lock(mu_);
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!IsMine(slots_[i])) continue;
    if (slots_[i].state() == SlotRecord::State::kClosed || members_.MayBeGiven(heirs_[i])) return false;
  }
  return true;
}

int SlotTable::slots() const {
  MutexLock lock(mu_);
  return static_cast<int>(slots_.size());
}

int SlotTable::owned() const {
  MutexLock lock(mu_);
  int owned = 0;
  for (const SlotRecord& slot : slots_) owned += IsMine(slot) ? 1 : 0;
  return owned;
}

int64_t SlotTable::Held(int slot) const {
  MutexLock lock(mu_);
  const auto i = static_cast<size_t>(slot);
  return i < slots_.size() && IsMine(slots_[i]) ? slots_[i].generation() : 0;
}

int SlotTable::SlotOfRoom(std::string_view room) const {
  MutexLock lock(mu_);
  return slots_.empty() ? 0 : SlotOf(room, static_cast<int>(slots_.size()));
}

SlotTable::Standing SlotTable::StandingOf(std::string_view room) const {
  MutexLock lock(mu_);
  if (slots_.empty()) return {};
  const SlotRecord& slot = slots_[static_cast<size_t>(SlotOf(room, static_cast<int>(slots_.size())))];
  if (IsMine(slot)) return {.of = Standing::Of::kSelf, .state = slot.state(), .lost = slot.lost()};
  if (IsFree(slot)) return {.of = Standing::Of::kNobody};
  return {.of = Standing::Of::kOther, .owner = *members_.Find(slot.owner())};
}

std::string SlotTable::OwnerOf(int slot) const {
  MutexLock lock(mu_);
  const SlotRecord& found = slots_[static_cast<size_t>(slot)];
  return IsMine(found) || IsFree(found) ? members_.self() : members_.Find(found.owner())->id;
}

uint64_t SlotTable::LivingRun(std::string_view id) const {
  MutexLock lock(mu_);
  return members_.LivingRun(id);
}

bool SlotTable::Lives(uint64_t incarnation) const {
  MutexLock lock(mu_);
  return members_.Lives(incarnation);
}

bool SlotTable::OthersDrain() const {
  MutexLock lock(mu_);
  return members_.OthersDrain();
}

std::vector<SlotTable::Peer> SlotTable::Peers() const {
  MutexLock lock(mu_);
  return members_.Peers();
}

bool SlotTable::IsFree(const SlotRecord& slot) const {
  return !IsMine(slot) && !members_.Lives(slot.owner());
}

bool SlotTable::IsWanted(size_t slot) const {
  return heirs_[slot] != 0 && heirs_[slot] == members_.incarnation() && IsFree(slots_[slot]);
}

void SlotTable::ChooseHeirs() {
  heirs_ = members_.Heirs(static_cast<int>(slots_.size()));
}

}  // namespace hubbub::chat
