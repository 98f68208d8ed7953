#pragma once

#include <algorithm>
#include <chrono>

namespace hubbub {

// Bounds how often something happens: `per_second` times a second on average, and twice that at once. A
// token bucket. Not thread-safe.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(int per_second, Clock::time_point now)
      : per_second_(per_second), tokens_(2.0 * per_second), at_(now) {}

  // Counts `amount` more, at `now`. False if that is too many; it does not count then. More than 2 *
  // per_second never fits.
  bool Take(Clock::time_point now, double amount = 1) {
    if (Left(now) < amount) return false;
    tokens_ -= amount;
    return true;
  }
  // The most that fits at `now`.
  double Left(Clock::time_point now) {
    const double seconds = std::chrono::duration<double>(now - at_).count();
    tokens_ = std::min(2.0 * per_second_, tokens_ + per_second_ * seconds);
    at_ = now;
    return tokens_;
  }

  int per_second() const { return per_second_; }

 private:
  int per_second_;
  double tokens_;
  Clock::time_point at_;
};

}  // namespace hubbub
