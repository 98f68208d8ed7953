#include "bench/checker.h"

namespace hubbub::bench {

bool Checker::SawOther(size_t pair, uint32_t number) {
  uint32_t& next = next_[pair];
  if (number > next) {  // What is between may still come; then it is disorder, else loss.
    gaps_[pair].emplace(next, number);
    next = number + 1;
    return true;
  }
  auto& gaps = gaps_[pair];
  auto gap = gaps.upper_bound(number);
  if (gap == gaps.begin() || number >= (--gap)->second) {
    ++faults_.doubled;
    return false;
  }
  ++faults_.reordered;
  const auto [first, end] = *gap;
  gaps.erase(gap);
  if (first < number) gaps.emplace(first, number);
  if (number + 1 < end) gaps.emplace(number + 1, end);
  return true;
}

void Checker::Finish(size_t receiver, size_t sender, uint32_t sent) {
  const size_t pair = receiver * senders_ + sender;
  if (next_[pair] < sent) faults_.lost += sent - next_[pair];
  const auto gaps = gaps_.find(pair);
  if (gaps == gaps_.end()) return;
  for (const auto& [first, end] : gaps->second) faults_.lost += end - first;
}

}  // namespace hubbub::bench
