#pragma once

#include <algorithm>
#include <chrono>

#include "services/net/connection.h"

namespace hubbub::net {

// The time by which a loop judges its clients. It stands still while the loop is kept from reading what they
// have sent: while the process is stopped, the machine paused, or the CPU given to others; a tick that comes
// late tells. In a suspend of the machine it stands still because Clock does. So nobody is closed for what
// was not their delay. Thread-compatible; each loop has its own.
class ClientClock {
 public:
  explicit ClientClock(Clock::duration tick) : tick_(tick) {}

  // `now` is Clock's, always.
  Clock::time_point At(Clock::time_point now) const { return std::min(now, due_) - missed_; }

  // The loop's tick is here, one tick() after the last one or later.
  void Tick(Clock::time_point now) {
    if (now > due_) missed_ += now - due_;
    // Half a tick late is nothing unusual.
    due_ = now + tick_ + tick_ / 2;
  }

  Clock::duration tick() const { return tick_; }

 private:
  const Clock::duration tick_;
  Clock::time_point due_ = Clock::time_point::max();  // The next tick is late after it. None has come yet.
  Clock::duration missed_{0};
};

}  // namespace hubbub::net
