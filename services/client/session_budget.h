#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "services/base/rate_limit.h"

namespace hubbub::client {

// How much one client may send: packages and bytes a second, and twice as much at once. Counts what was too
// much, and tells when that is a flood. Not thread-safe. Owned by the client's session.
class SessionBudget {
 public:
  using Clock = RateLimit::Clock;

  SessionBudget(int packages_per_second, int bytes_per_second, Clock::time_point now)
      : packages_(packages_per_second, now), bytes_(bytes_per_second, now) {}

  // One more package, of so many bytes. Empty if the client may send it; otherwise a sentence that tells the
  // client why not.
  std::string Take(size_t bytes, Clock::time_point now);
  // The client goes on sending far more than it may: it was refused as many packages as it may send in a
  // second, or four times the bytes, since the last NextSecond.
  bool Flooded() const;
  void NextSecond() { refused_packages_ = refused_bytes_ = 0; }

 private:
  // Refusals within a second that are no flood, however low the limit is: clients in the field repeat
  // themselves.
  static constexpr size_t kLeastFlood = 100;
  static constexpr size_t kFloodOfBytes = 4;

  RateLimit packages_;
  RateLimit bytes_;
  size_t refused_packages_ = 0;
  size_t refused_bytes_ = 0;
};

}  // namespace hubbub::client
