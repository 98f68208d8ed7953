#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// Changes of a slot's owner whose outcome this server must know: after an answer that was lost the store is
// asked again until it answers, and then read, because what the first asking did is not in the answer to the
// second. Blocks. For the one thread that uses the store.
class SlotChanges {
 public:
  using Slots = std::vector<SlotGeneration>;

  // `wait` is called before each repetition, and waits a moment; false: ask no more, the answer is CANCELLED.
  // `store` outlives this object.
  SlotChanges(Store& store, std::function<bool()> wait) : store_(store), wait_(std::move(wait)) {}

  // As Store's, but never UNKNOWN. `self`: this run, which answers what it has got of them.
  absl::StatusOr<Slots> TakeOver(uint64_t self, const std::vector<SlotOffer>& offers);
  absl::StatusOr<Slots> Keep(uint64_t self, const Slots& slots);

 private:
  // `before`: the slots as they were when they were first asked for.
  absl::StatusOr<Slots> UntilCertain(uint64_t self, const Slots& before,
                                     const std::function<absl::StatusOr<Slots>()>& ask);

  Store& store_;
  const std::function<bool()> wait_;
};

}  // namespace hubbub::chat
