#pragma once

#include "services/base/rate_limit.h"

namespace hubbub::engine {

// How many packets of Engine.IO's own a client may send, which its protocol's budget does not see: pings and
// pongs, of which clients send one in 25 s, and packets that mean nothing. Not thread-safe. Owned by its
// session.
class ControlBudget {
 public:
  using Clock = RateLimit::Clock;
  enum class Verdict { kTake, kDrop, kFlood };

  explicit ControlBudget(Clock::time_point now) : packets_(kPerSecond, now), drops_(kDropsPerSecond, now) {}

  // One more packet. Beyond 20 at once and 10 a second it is to be dropped; the client that goes on so that
  // 100 at once or 50 a second are dropped floods the server, and is to be closed.
  Verdict Take(Clock::time_point now) {
    if (packets_.Take(now)) return Verdict::kTake;
    return drops_.Take(now) ? Verdict::kDrop : Verdict::kFlood;
  }

 private:
  static constexpr int kPerSecond = 10;
  static constexpr int kDropsPerSecond = 50;

  RateLimit packets_;
  RateLimit drops_;
};

}  // namespace hubbub::engine
