#include "bench/schedule.h"

namespace hubbub::bench {

Schedule::Schedule(int64_t start_ns, int64_t end_ns, double per_second)
    : start_ns_(start_ns), end_ns_(end_ns), interval_ns_(1e9 / per_second) {}

// From the start each time: adding intervals up would add their rounding up too.
int64_t Schedule::At(uint64_t number) const {
  return start_ns_ + static_cast<int64_t>(static_cast<double>(number) * interval_ns_);
}

std::optional<Schedule::Send> Schedule::TakeDue(int64_t now_ns) {
  const auto at = NextAt();
  if (!at || *at > now_ns) return std::nullopt;
  return Send{.number = next_++, .at_ns = *at};
}

std::optional<int64_t> Schedule::NextAt() const {
  const int64_t at = At(next_);
  if (at >= end_ns_) return std::nullopt;
  return at;
}

Turn TurnOf(uint64_t number, int rooms, int senders_a_room) {
  const auto count = static_cast<uint64_t>(rooms);
  return {.room = static_cast<int>(number % count),
          .sender = static_cast<int>(number / count % static_cast<uint64_t>(senders_a_room))};
}

}  // namespace hubbub::bench
