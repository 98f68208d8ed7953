#pragma once

#include <chrono>

#include "chat/rooms/event.h"

namespace hubbub::chat {

// When an outbox writes: at once, unless all that waits is who came and who left, and the last write is less
// than kPause ago. A message waits for nothing, and takes along what waits before it. So a user who comes
// alone is told of at once, while a thousand users who come within a second are told of in batches: a batch
// costs a connector about as much as one event. Not thread-safe: Outbox guards it.
class WritePace {
 public:
  using Clock = std::chrono::steady_clock;
  // Of onAdd and onLeave: less than anybody notices.
  static constexpr std::chrono::milliseconds kPause{20};

  // This waits now.
  void Pushed(Event::Kind kind) {
    if (kind != Event::Kind::kJoined && kind != Event::Kind::kLeft) urgent_ = true;
  }
  // All that waits may be written now.
  void Hurry() { urgent_ = true; }
  bool MayWrite(Clock::time_point now) const { return urgent_ || now >= next_; }
  // When it may write at the latest.
  Clock::time_point next() const { return next_; }
  // Something was written. `rest`: a batch did not hold all that waited, so that there is nothing to wait
  // for.
  void Wrote(Clock::time_point now, bool rest) {
    next_ = now + kPause;
    urgent_ = rest;
  }

 private:
  bool urgent_ = false;
  Clock::time_point next_{};
};

}  // namespace hubbub::chat
