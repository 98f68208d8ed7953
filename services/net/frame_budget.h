#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "services/base/flood_limit.h"

namespace hubbub::net {

// How much of a WebSocket client's bytes may be no message: heads of frames, pings, pongs, fragments without
// a byte. Its protocol, which has the budget for messages, is shown none of it. What messages need counts
// nothing: the head of each, and of fragments that have 48 bytes or more. Of the rest 4 KiB a second are
// free, 8 KiB at once, where a ping or pong counts 100 bytes more than it has. Who sends 16 KiB beyond that
// within a second floods. Not thread-safe. Owned by its connection.
class FrameBudget {
 public:
  using Clock = FloodLimit::Clock;

  explicit FrameBudget(Clock::time_point now) : limit_(kBytesPerSecond, kMostRefused, now) {}

  // So many bytes have come.
  void Came(size_t bytes) { uncounted_ += static_cast<int64_t>(bytes); }
  // So many of them were a message's, and perhaps its last ones.
  void Passed(size_t bytes, bool last) {
    uncounted_ -= static_cast<int64_t>(bytes + bytes / kFree) + (last ? kLongestHead : 0);
  }
  // One of the frames was a ping or a pong.
  void Control() { uncounted_ += kControlCost; }

  // Judges what has come and was passed until now; `now` is asked only if that is needed. True if the client
  // is to be closed. More bytes may be known only when all that can be passed was passed.
  template <typename Now>
  bool Floods(Now now) {
    const int64_t excess = uncounted_ - kLongestHead;  // A head may not be whole yet.
    uncounted_ = std::clamp<int64_t>(uncounted_, 0, kLongestHead);
    if (excess <= 0) return false;
    const Clock::time_point at = now();
    const auto amount = static_cast<double>(excess);
    if (limit_.Take(at, amount)) return false;
    limit_.Refuse(at, amount);
    return limit_.flooded();
  }

 private:
  static constexpr int kBytesPerSecond = 4 * 1024;
  static constexpr int kMostRefused = 16 * 1024;
  static constexpr int64_t kControlCost = 100;  // A ping is answered.
  static constexpr int64_t kLongestHead = 14;   // RFC 6455, 5.2
  static constexpr size_t kFree = 8;            // Of so many bytes one more is free.

  FloodLimit limit_;
  int64_t uncounted_ = 0;
};

}  // namespace hubbub::net
