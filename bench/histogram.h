#pragma once

#include <cstdint>
#include <vector>

namespace hubbub::bench {

// Counts values in buckets whose width grows with the value: below 256 each value has its own, above that 128
// of them share each power of two. So every quantile is right within 0.8 %, from nanoseconds to centuries,
// and recording is two additions. Thread-compatible.
class Histogram {
 public:
  Histogram();

  void Record(uint64_t value);
  void Add(const Histogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  // 0 if nothing was recorded.
  double Mean() const;
  // The smallest bucket's upper end that `quantile` (0 to 1) of all values do not exceed; 0 if nothing was
  // recorded.
  uint64_t Quantile(double quantile) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace hubbub::bench
