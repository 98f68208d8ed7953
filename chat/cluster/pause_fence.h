#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub::chat {

// Notices that this process was stopped (SIGSTOP, a frozen machine, no CPU) long enough for other servers to
// have taken its slots, and keeps all callers out until the store has said whether they did. Times are
// SteadyNowMs, which runs on while the process is stopped or the machine is suspended. Thread-safe.
class PauseFence {
 public:
  // Far shorter than the time after which a server that does not beat is gone (Beats::kGoneMs).
  static constexpr int64_t kLongestMs = 1'000;

  explicit PauseFence(int64_t now_ms) : last_ms_(now_ms) {}

  // Call it many times a second, on one thread. True if the process was stopped since the last Tick: then the
  // fence is closed.
  bool Tick(int64_t now_ms) {
    const bool stopped = Stopped(now_ms);
    if (stopped) closed_ms_ = now_ms;
    last_ms_ = now_ms;
    return stopped;
  }
  // This server still had its slots at this time, or later.
  void Open(int64_t asked_ms) {
    int64_t closed_ms = closed_ms_;
    if (asked_ms >= closed_ms) closed_ms_.compare_exchange_strong(closed_ms, kOpen);
  }

  // Asked by every call, because the first one after a stop may come before Tick.
  bool open(int64_t now_ms) const { return closed_ms_ == kOpen && !Stopped(now_ms); }

 private:
  static constexpr int64_t kOpen = 0;

  bool Stopped(int64_t now_ms) const { return now_ms - last_ms_ > kLongestMs; }

  std::atomic<int64_t> last_ms_;
  std::atomic<int64_t> closed_ms_ = kOpen;  // Since when it is closed.
};

}  // namespace hubbub::chat
