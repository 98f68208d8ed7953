#include "services/base/task_thread.h"

#include <utility>

namespace hubbub {

void TaskThread::Start(Round round) {
  {
    MutexLock lock(mu_);
    takes_ = true;
    runs_ = true;
  }
  thread_ = std::thread([this, round = std::move(round)] {
    Run(round);
    {
      MutexLock lock(mu_);
      runs_ = false;
    }
    changed_.notify_all();
  });
}

bool TaskThread::StopWithin(std::chrono::milliseconds time) {
  stop_.request_stop();
  std::deque<std::function<void()>> tasks;  // Destroyed without the lock: they may have something to say.
  mu_.Lock();
  takes_ = false;
  tasks.swap(tasks_);
  const bool ended = changed_.wait_for(mu_, time, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !runs_; });
  mu_.Unlock();
  return ended;
}

void TaskThread::Stop() {
  (void)StopWithin(std::chrono::milliseconds(0));
  if (thread_.joinable()) thread_.join();
}

bool TaskThread::Post(std::function<void()> task) {
  {
    MutexLock lock(mu_);
    if (!takes_) return false;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
  return true;
}

void TaskThread::Wake() {
  {
    MutexLock lock(mu_);
    wake_ = true;
  }
  changed_.notify_all();
}

void TaskThread::Pause(std::chrono::milliseconds time) {
  mu_.Lock();
  changed_.wait_for(mu_, stop_.get_token(), time, [this] { return stopping(); });
  mu_.Unlock();
}

void TaskThread::Run(const Round& round) {
  Clock::time_point due = Clock::now();
  while (!stopping()) {
    if (const std::function<void()> task = Next(due)) {
      task();
    } else if (!stopping()) {
      due = Clock::now() + round();
    }
  }
}

std::function<void()> TaskThread::Next(Clock::time_point due) {
  std::function<void()> task;
  mu_.Lock();
  changed_.wait_until(mu_, stop_.get_token(), due,
                      [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return wake_ || !tasks_.empty(); });
  if (!tasks_.empty() && !stopping()) {
    task = std::move(tasks_.front());
    tasks_.pop_front();
  } else {
    wake_ = false;
  }
  mu_.Unlock();
  return task;
}

}  // namespace hubbub
