#pragma once

#include <algorithm>
#include <chrono>

#include "services/net/connection.h"

namespace hubbub::net {

// The time by which a loop judges its clients. The clock stands still while the loop cannot read what its
// clients have sent: while the process is stopped, the machine is paused, or other processes have the CPU.
// The clock learns this from a tick that comes late. While the machine is suspended, it stands still because
// Clock does. So no client is closed for a delay of this server. Thread-compatible; each loop has its own
// clock.
class ClientClock {
 public:
  explicit ClientClock(Clock::duration tick) : tick_(tick) {}

  // `now` is Clock::now(), here and in Tick.
  Clock::time_point At(Clock::time_point now) const { return std::min(now, due_) - missed_; }

  // Call it at each tick of the loop: one tick() after the last call, or later.
  void Tick(Clock::time_point now) {
    if (now > due_) missed_ += now - due_;
    // A tick is often late by up to half its length.
    due_ = now + tick_ + tick_ / 2;
  }

  Clock::duration tick() const { return tick_; }

 private:
  const Clock::duration tick_;
  Clock::time_point due_ = Clock::time_point::max();  // The next tick is late after this. max: no tick yet.
  Clock::duration missed_{0};
};

}  // namespace hubbub::net
