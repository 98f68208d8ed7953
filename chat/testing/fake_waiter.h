#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "chat/rooms/send_waiter.h"
#include "fmt/format.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// Keeps what became of sends. Thread-safe.
class FakeWaiter final : public SendWaiter {
 public:
  // A tag for a send with this name.
  uint64_t Expect(std::string name) {
    MutexLock lock(mu_);
    names_.push_back(std::move(name));
    return names_.size() - 1;
  }

  void OnSent(uint64_t tag, const absl::StatusOr<SendResult>& result, Gather&) override {
    {
      MutexLock lock(mu_);
      told_.push_back(
          result.ok()
              ? fmt::format("{}: {}{}", names_[tag], result->offset, result->repeated ? " repeated" : "")
              : fmt::format("{}: {}", names_[tag],
                            std::string(absl::StatusCodeToString(result.status().code()))));
    }
    if (on_sent) on_sent();
  }

  // What it was told since the last call: "name: offset", or "name: CODE".
  std::vector<std::string> Take() {
    MutexLock lock(mu_);
    return std::exchange(told_, {});
  }

  std::function<void()> on_sent;  // Called after each; set before there is one.

 private:
  Mutex mu_;
  std::vector<std::string> names_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> told_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
