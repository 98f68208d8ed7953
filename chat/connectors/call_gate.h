#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub::chat {

// Lets calls in until it is closed, and tells when the last one that is inside has left. Thread-safe. For
// calls that do not block, because Close waits for them.
class CallGate {
 public:
  // One call's stay; false if the gate was closed.
  class Pass {
   public:
    explicit Pass(CallGate& gate) : gate_(gate), inside_((gate.state_.fetch_add(kOne) & kClosed) == 0) {}
    ~Pass() {
      if (gate_.state_.fetch_sub(kOne) == (kOne | kClosed)) gate_.state_.notify_all();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    explicit operator bool() const { return inside_; }

   private:
    CallGate& gate_;
    const bool inside_;
  };

  // Lets nobody in any more, and returns when nobody is inside.
  void Close() {
    uint64_t state = state_.fetch_or(kClosed) | kClosed;
    while (state != kClosed) {
      state_.wait(state);
      state = state_.load();
    }
  }

 private:
  static constexpr uint64_t kClosed = 1;
  static constexpr uint64_t kOne = 2;

  std::atomic<uint64_t> state_ = 0;  // kOne for each call inside, and kClosed.
};

}  // namespace hubbub::chat
