#pragma once

#include <chrono>

#include "services/base/rate_limit.h"

namespace hubbub {

// A RateLimit that counts what was refused, and so tells a client that goes on regardless from one that is
// just too fast: it is a flood if more than `most_refused` are refused within a second. Not thread-safe.
class FloodLimit {
 public:
  using Clock = RateLimit::Clock;

  FloodLimit(int per_second, double most_refused, Clock::time_point now)
      : limit_(per_second, now), most_refused_(most_refused), since_(now) {}

  // Counts `amount` more, at `now`. False if that is too many; to refuse it is the caller's then.
  bool Take(Clock::time_point now, double amount = 1) { return limit_.Take(now, amount); }
  // The most that fits at `now`.
  double Left(Clock::time_point now) { return limit_.Left(now); }
  // `amount` was refused, because of this limit or of another one.
  void Refuse(Clock::time_point now, double amount = 1) {
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      refused_ = 0;
    }
    refused_ += amount;
  }
  // As of the last Refuse.
  bool flooded() const { return refused_ > most_refused_; }

  int per_second() const { return limit_.per_second(); }

 private:
  RateLimit limit_;
  const double most_refused_;
  Clock::time_point since_;  // When the second began in which refusals are counted.
  double refused_ = 0;
};

}  // namespace hubbub
