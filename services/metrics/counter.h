#pragma once

#include <atomic>
#include <cstdint>

namespace hubbub::metrics {

// Numbers that are counted where things happen and read when they are shown. Free of everything, so that
// logic may have them.

// A number that only rises. Thread-safe, and cheap enough for every call or batch.
class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A number that one thread at a time changes, such as an event loop's or the holder of a lock, and
// any thread reads. An addition is a plain load and a plain store, without the locked instruction that makes
// processors wait for each other: cheap enough for every delivery.
class SingleWriterNumber {
 public:
  void Add(uint64_t count = 1) { value_.store(value() + count, std::memory_order_relaxed); }
  void Subtract(uint64_t count) { value_.store(value() - count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace hubbub::metrics
