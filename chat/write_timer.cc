#include "chat/write_timer.h"

#include <pthread.h>

#include <utility>

namespace hubbub::chat {

WriteTimer::WriteTimer() : thread_([this](const std::stop_token& stop) { Run(stop); }) {
  pthread_setname_np(thread_.native_handle(), "write-timer");
}

WriteTimer::~WriteTimer() = default;

void WriteTimer::CallBy(Clock::time_point due, std::function<void()> function) {
  const std::lock_guard lock(mu_);
  waiting_.push_back(std::move(function));
  if (due >= due_) return;
  due_ = due;
  changed_.notify_one();
}

void WriteTimer::Run(const std::stop_token& stop) {
  std::unique_lock lock(mu_);
  while (!stop.stop_requested()) {
    // A time that never comes can not be waited for.
    if (waiting_.empty()) {
      changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
      continue;
    }
    if (const auto due = due_; Clock::now() < due) {
      changed_.wait_until(lock, stop, due, [this, due] { return due_ < due; });
      continue;
    }
    due_ = Clock::time_point::max();
    const std::vector<std::function<void()>> now = std::exchange(waiting_, {});
    lock.unlock();
    for (const auto& function : now) function();
    lock.lock();
  }
}

}  // namespace hubbub::chat
