#pragma once

#include <cstdint>
#include <optional>

namespace hubbub::bench {

// When each send of an open loop is due: number n at start + n / rate, whatever happened before. A send that
// is late keeps its time, so that what it waited for is part of its latency: no coordinated omission.
// Thread-compatible.
class Schedule {
 public:
  struct Send {
    uint64_t number = 0;
    int64_t at_ns = 0;
  };

  // REQUIRES: per_second > 0. No send is due at or after `end_ns`.
  Schedule(int64_t start_ns, int64_t end_ns, double per_second);

  // The next send that is due at `now_ns`, at most once each; nothing if none is.
  std::optional<Send> TakeDue(int64_t now_ns);
  // When the next send is due; nothing if all have been taken.
  std::optional<int64_t> NextAt() const;

 private:
  int64_t At(uint64_t number) const;

  int64_t start_ns_;
  int64_t end_ns_;
  double interval_ns_;
  uint64_t next_ = 0;
};

// Who sends number n: rooms in turn, and in each room its senders in turn.
struct Turn {
  int room = 0;
  int sender = 0;  // Among the room's senders.
};
Turn TurnOf(uint64_t number, int rooms, int senders_a_room);

}  // namespace hubbub::bench
