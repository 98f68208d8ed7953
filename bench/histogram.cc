#include "bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace hubbub::bench {
namespace {

constexpr int kSubBits = 7;
constexpr uint64_t kSub = 1 << kSubBits;  // Buckets to a power of two.

int ShiftOf(uint64_t value) {
  return std::max(0, static_cast<int>(std::bit_width(value)) - kSubBits - 1);
}

// Values below 2 * kSub are their own index; each further power of two takes the next kSub.
size_t IndexOf(uint64_t value) {
  const int shift = ShiftOf(value);
  return static_cast<size_t>(shift) * kSub + (value >> shift);
}

uint64_t UpperEnd(size_t index) {
  if (index < 2 * kSub) return index;
  const size_t shift = index / kSub - 1;
  const uint64_t top = index - shift * kSub;
  return (top << shift) + ((uint64_t{1} << shift) - 1);
}

}  // namespace

Histogram::Histogram() : buckets_(IndexOf(UINT64_MAX) + 1) {}

void Histogram::Record(uint64_t value) {
  ++buckets_[IndexOf(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::Add(const Histogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::Mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

uint64_t Histogram::Quantile(double quantile) const {
  if (count_ == 0) return 0;
  const auto rank =
      static_cast<uint64_t>(std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= std::max<uint64_t>(rank, 1)) return std::min(UpperEnd(i), max_);
  }
  return max_;
}

}  // namespace hubbub::bench
