#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub::chat {

// Notices that this process was stopped (SIGSTOP, a frozen machine, no CPU) for so long that others may have
// taken its rooms, and keeps everybody out until that is found out. Times are SteadyNowMs, which runs on
// meanwhile, also while the machine is suspended. Tick, Close and Open are for one thread; the rest is
// thread-safe.
class PauseFence {
 public:
  // Shorter than the time in which anybody gives up a chat server that hangs (services/rpc/channel.h).
  static constexpr int64_t kLongestMs = 1'000;

  explicit PauseFence(int64_t now_ms) : last_ms_(now_ms) {}

  // True if this process was stopped since the last Tick, or Close.
  bool stopped(int64_t now_ms) const { return now_ms - last_ms_ > kLongestMs; }
  // Call it many times a second, if it was not stopped. If it was: Close.
  void Tick(int64_t now_ms) { last_ms_ = now_ms; }
  void Close(int64_t now_ms) {
    closed_ = true;
    last_ms_ = now_ms;
  }
  void Open() { closed_ = false; }

  // Asked by every call: the first one after a pause may come before Close.
  bool open(int64_t now_ms) const { return !closed_ && !stopped(now_ms); }
  bool closed() const { return closed_; }

 private:
  std::atomic<int64_t> last_ms_;
  std::atomic<bool> closed_ = false;
};

}  // namespace hubbub::chat
