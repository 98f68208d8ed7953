#pragma once

#include <atomic>
#include <cstddef>

namespace hubbub::chat {

// How many sends, and how much, a server lets wait for the log. Thread-safe.
class SendBudget {
 public:
  // Whether one more fits. Senders that ask at the same time may go over the bounds by one each.
  bool MayAdd(size_t most_sends, size_t most_bytes) const {
    return sends() < most_sends && bytes() < most_bytes;
  }
  void Add(size_t bytes) {
    sends_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void Remove(size_t bytes) {
    sends_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  size_t sends() const { return sends_.load(std::memory_order_relaxed); }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<size_t> sends_ = 0;
  std::atomic<size_t> bytes_ = 0;
};

}  // namespace hubbub::chat
