#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "services/base/waitable_mutex.h"

namespace hubbub::chat {

// Calls functions a moment later, all of them at the same moment, on a thread of its own: the one timer of
// all outboxes of a chat server. While no function waits, the thread sleeps. Thread-safe. Owned by Leases.
class WriteTimer {
 public:
  using Clock = std::chrono::steady_clock;

  WriteTimer();
  // Waits for a call that is under way; functions that still wait are never called.
  ~WriteTimer();
  WriteTimer(const WriteTimer&) = delete;
  WriteTimer& operator=(const WriteTimer&) = delete;

  // Calls `function` once, soon after `due` or, with others whose time has come, before it. No lock of this
  // object is held then; the function must not block. The caller may hold locks of its own.
  void CallBy(Clock::time_point due, std::function<void()> function) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class Outbox;  // Names mu_ in its lock order.

  void Run(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until it is time; returns the functions to call, which are none when `stop` ends the wait.
  std::vector<std::function<void()>> TakeDue(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mu_);

  WaitableMutex mu_;
  std::condition_variable_any changed_;
  Clock::time_point due_ ABSL_GUARDED_BY(mu_) = Clock::time_point::max();
  std::vector<std::function<void()>> waiting_ ABSL_GUARDED_BY(mu_);

  std::jthread thread_;  // The last member: it uses the others.
};

}  // namespace hubbub::chat
