#include "chat/cluster/slot_changes.h"

#include <cstdint>

namespace hubbub::chat {
namespace {

// Those of the slots that `self` has by a later claim than before.
SlotChanges::Slots NewlyOwned(const StoreView& view, uint64_t self, const SlotChanges::Slots& before) {
  SlotChanges::Slots owned;
  for (const SlotGeneration& slot : before) {
    const StoredSlot& row = view.slots[static_cast<size_t>(slot.slot)];
    if (row.owner == self && row.generation > slot.generation)
      owned.push_back({.slot = row.slot, .generation = row.generation});
  }
  return owned;
}

}  // namespace

absl::StatusOr<SlotChanges::Slots> SlotChanges::TakeOver(uint64_t self,
                                                         const std::vector<SlotOffer>& offers) {
  Slots before;
  for (const SlotOffer& offer : offers)
    before.push_back({.slot = offer.slot, .generation = offer.generation});
  return UntilCertain(self, before, [&] { return store_.TakeOver(self, offers, 0); });
}

absl::StatusOr<SlotChanges::Slots> SlotChanges::Keep(uint64_t self, const Slots& slots) {
  return UntilCertain(self, slots, [&] { return store_.Keep(self, slots); });
}

absl::StatusOr<SlotChanges::Slots> SlotChanges::UntilCertain(
    uint64_t self, const Slots& before, const std::function<absl::StatusOr<Slots>()>& ask) {
  absl::StatusOr<Slots> got = ask();
  if (!absl::IsUnknown(got.status())) return got;
  while (wait_()) {
    if (absl::IsUnknown(ask().status())) continue;
    const absl::StatusOr<StoreView> view = store_.Read();
    if (view.ok()) return NewlyOwned(*view, self, before);
  }
  return absl::CancelledError("this chat server ends");
}

}  // namespace hubbub::chat
