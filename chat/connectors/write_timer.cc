#include "chat/connectors/write_timer.h"

#include <pthread.h>

#include <utility>

namespace hubbub::chat {

WriteTimer::WriteTimer() : thread_([this](const std::stop_token& stop) { Run(stop); }) {
  pthread_setname_np(thread_.native_handle(), "write-timer");
}

WriteTimer::~WriteTimer() = default;

void WriteTimer::CallBy(Clock::time_point due, std::function<void()> function) {
  MutexLock lock(mu_);
  waiting_.push_back(std::move(function));
  if (due >= due_) return;
  due_ = due;
  changed_.notify_one();
}

void WriteTimer::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const auto& function : TakeDue(stop)) function();
  }
}

std::vector<std::function<void()>> WriteTimer::TakeDue(const std::stop_token& stop) {
  MutexLock lock(mu_);
  while (!stop.stop_requested()) {
    // wait_until cannot wait for time_point::max.
    if (waiting_.empty()) {
      changed_.wait(mu_, stop, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !waiting_.empty(); });
      continue;
    }
    if (const auto due = due_; Clock::now() < due) {
      changed_.wait_until(mu_, stop, due,
                          [this, due]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return due_ < due; });
      continue;
    }
    due_ = Clock::time_point::max();
    return std::exchange(waiting_, {});
  }
  return {};
}

}  // namespace hubbub::chat
