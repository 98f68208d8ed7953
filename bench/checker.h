#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace hubbub::bench {

// What went wrong with deliveries. All zero: each arrived once, in its sender's order, as it was sent.
struct Faults {
  uint64_t lost = 0;
  uint64_t doubled = 0;
  uint64_t reordered = 0;  // Arrived after a later one of the same sender.
  uint64_t stray = 0;      // Never sent, or of another room.
  uint64_t damaged = 0;    // Has not the text that was sent.

  bool any() const { return lost + doubled + reordered + stray + damaged > 0; }
};

// Follows the sequence numbers, 0, 1, 2 …, of each sender at each receiver. Costs one comparison for a
// delivery that is as it should be. Thread-compatible.
class Checker {
 public:
  // `senders`: how many each receiver hears at most.
  Checker(size_t receivers, size_t senders) : senders_(senders), next_(receivers * senders) {}

  // A delivery arrived. True if it is the first of its number.
  bool Saw(size_t receiver, size_t sender, uint32_t number) {
    uint32_t& next = next_[receiver * senders_ + sender];
    if (number != next) return SawOther(receiver * senders_ + sender, number);
    ++next;
    return true;
  }
  void SawStray() { ++faults_.stray; }
  void SawDamaged() { ++faults_.damaged; }

  // Call it once for each pair, after the last delivery: counts what did not arrive of `sent` messages.
  void Finish(size_t receiver, size_t sender, uint32_t sent);

  const Faults& faults() const { return faults_; }

 private:
  bool SawOther(size_t pair, uint32_t number);

  const size_t senders_;
  std::vector<uint32_t> next_;
  // Numbers passed over, by pair: from first to before second.
  absl::flat_hash_map<size_t, std::map<uint32_t, uint32_t>> gaps_;
  Faults faults_;
};

}  // namespace hubbub::bench
