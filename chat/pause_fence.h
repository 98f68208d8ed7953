#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub::chat {

// Notices that this process was stopped (SIGSTOP, a frozen machine, no CPU) for so long that others may have
// taken its rooms, and keeps everybody out until that is found out. Times are in milliseconds of a clock that
// runs on meanwhile. Tick and Open are for one thread; open is thread-safe.
class PauseFence {
 public:
  // Shorter than the time in which anybody gives up a chat server that hangs (services/rpc/channel.h).
  static constexpr int64_t kLongestMs = 1'000;

  explicit PauseFence(int64_t now_ms) : last_ms_(now_ms) {}

  // Call it many times a second. True if this process was stopped since the last one: the fence is closed.
  bool Tick(int64_t now_ms) {
    const bool paused = now_ms - last_ms_ > kLongestMs;
    if (paused) closed_ = true;
    last_ms_ = now_ms;
    return paused;
  }
  void Open() { closed_ = false; }

  // Asked by every call: the first one after a pause may come before Tick.
  bool open(int64_t now_ms) const { return !closed_ && now_ms - last_ms_ <= kLongestMs; }
  bool closed() const { return closed_; }

 private:
  std::atomic<int64_t> last_ms_;
  std::atomic<bool> closed_ = false;
};

}  // namespace hubbub::chat
