#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "services/base/flood_limit.h"

namespace hubbub::client {

// How much one client may send: packages and bytes a second, and twice as much at once. What a
// compressed package holds counts, and not what it has on the wire. Counts what was too much, and tells when
// that is a flood. Not thread-safe. Owned by the client's session.
class SessionBudget {
 public:
  using Clock = FloodLimit::Clock;

  SessionBudget(int packages_per_second, int bytes_per_second, Clock::time_point now);

  // One more package, of so many bytes. Empty if the client may send it; otherwise a sentence that tells the
  // client why not.
  std::string Take(size_t bytes, Clock::time_point now);
  // The bytes that a compressed body may have beyond those that came: so many fit.
  size_t SpareBytes(Clock::time_point now) { return static_cast<size_t>(bytes_.Left(now)); }
  // The last package had so many more. They count as those that came do. REQUIRES: they fit.
  void TakeSpare(size_t bytes, Clock::time_point now) { bytes_.Take(now, static_cast<double>(bytes)); }
  // The last package, of so many bytes, would have had more than fit. A sentence as of Take.
  std::string RefuseSpare(size_t bytes, Clock::time_point now);
  // The client goes on sending far more than it may: within a second it was refused as many packages as it
  // may send in one, or four times the bytes.
  bool Flooded() const { return packages_.flooded() || bytes_.flooded(); }

 private:
  void Refuse(size_t bytes, Clock::time_point now);
  std::string TooManyBytes() const;

  FloodLimit packages_;
  FloodLimit bytes_;
};

}  // namespace hubbub::client
