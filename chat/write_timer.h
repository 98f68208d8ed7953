#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace hubbub::chat {

// Calls many back a moment later, all at the same one, on a thread of its own: the one timer of all outboxes
// of a chat server. While nobody waits, the thread sleeps. Thread-safe. Owned by Leases.
class WriteTimer {
 public:
  using Clock = std::chrono::steady_clock;

  WriteTimer();
  // Waits for a call that is under way; those that still wait are never made.
  ~WriteTimer();
  WriteTimer(const WriteTimer&) = delete;
  WriteTimer& operator=(const WriteTimer&) = delete;

  // Calls `function` once, soon after `due` or, with others whose time has come, before it. No lock of this
  // object is held then; the function must not block. The caller may hold locks of its own.
  void CallBy(Clock::time_point due, std::function<void()> function);

 private:
  void Run(const std::stop_token& stop);

  std::mutex mu_;
  std::condition_variable_any changed_;
  // Guarded by mu_.
  Clock::time_point due_ = Clock::time_point::max();
  std::vector<std::function<void()>> waiting_;

  std::jthread thread_;  // The last member: it uses the others.
};

}  // namespace hubbub::chat
