#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <stop_token>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "services/base/waitable_mutex.h"

namespace hubbub {

// A thread for work that may block: tasks in the order of their posting, and a round from time to time.
// Thread-safe, but for Start and Stop, which belong to the owner. Starts once.
class TaskThread {
 public:
  // Does what is due, and answers how long to wait for the next round.
  using Round = std::function<std::chrono::milliseconds()>;

  TaskThread() = default;
  ~TaskThread() { Stop(); }
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  void Start(Round round) ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing begins any more: tasks that have not begun are destroyed. Waits for the task or round that runs,
  // for this time; true if it has ended.
  bool StopWithin(std::chrono::milliseconds time) ABSL_LOCKS_EXCLUDED(mu_);
  // The same, however long it takes.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // False if the thread does not run: then the task is destroyed.
  bool Post(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the next round due now.
  void Wake() ABSL_LOCKS_EXCLUDED(mu_);
  // For tasks and rounds that take long: true once Stop was called.
  bool stopping() const { return stop_.stop_requested(); }
  // Waits, on the thread itself, unless Stop is called meanwhile.
  void Pause(std::chrono::milliseconds time) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Clock = std::chrono::steady_clock;

  void Run(const Round& round);
  // The next task; null if the round is due, or Stop was called.
  std::function<void()> Next(Clock::time_point due) ABSL_LOCKS_EXCLUDED(mu_);

  WaitableMutex mu_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  bool wake_ ABSL_GUARDED_BY(mu_) = false;
  bool takes_ ABSL_GUARDED_BY(mu_) = false;  // Tasks.
  bool runs_ ABSL_GUARDED_BY(mu_) = false;
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace hubbub
