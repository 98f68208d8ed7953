#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "services/base/flood_limit.h"

namespace hubbub::client {

// How much one client may send: packages and bytes a second, and twice as much at once. Counts what was too
// much, and tells when that is a flood. Not thread-safe. Owned by the client's session.
class SessionBudget {
 public:
  using Clock = FloodLimit::Clock;

  SessionBudget(int packages_per_second, int bytes_per_second, Clock::time_point now);

  // One more package, of so many bytes. Empty if the client may send it; otherwise a sentence that tells the
  // client why not.
  std::string Take(size_t bytes, Clock::time_point now);
  // The client goes on sending far more than it may: within a second it was refused as many packages as it
  // may send in one, or four times the bytes.
  bool Flooded() const { return packages_.flooded() || bytes_.flooded(); }

 private:
  FloodLimit packages_;
  FloodLimit bytes_;
};

}  // namespace hubbub::client
