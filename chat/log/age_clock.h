#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace hubbub::chat {

// The time by which the age of what is in the log is judged: that of the machine, or what it would be if
// nobody had set it since this object was made, whichever is earlier. So a clock that is set forward makes
// nothing old at once. Milliseconds since 1970. Thread-safe if both clocks are.
class AgeClock {
 public:
  using Clock = std::function<int64_t()>;

  AgeClock(Clock steady_ms, Clock system_ms)
      : steady_ms_(std::move(steady_ms)),
        system_ms_(std::move(system_ms)),
        ahead_ms_(system_ms_() - steady_ms_()) {}

  int64_t NowMs() const { return std::min(system_ms_(), steady_ms_() + ahead_ms_); }

 private:
  const Clock steady_ms_;
  const Clock system_ms_;
  const int64_t ahead_ms_;
};

}  // namespace hubbub::chat
