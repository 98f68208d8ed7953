#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "services/metrics/counter.h"

namespace hubbub::client {

// The codes that clients' requests are answered with; 0 stands for all others.
inline constexpr std::array kRequestCodes = {200, 400, 401, 403, 404, 429, 500, 503, 504, 0};

// How often, by kRequestCodes.
using RequestCounts = std::array<uint64_t, kRequestCodes.size()>;

// The requests and notifies that the sessions of one loop have answered. Written on the loop, read by any
// thread.
class alignas(64) RequestCounters {
 public:
  void Count(int code) {
    const auto* const known = std::find(kRequestCodes.begin(), kRequestCodes.end() - 1, code);
    counters_[static_cast<size_t>(known - kRequestCodes.begin())].Add();
  }
  void AddTo(RequestCounts& sum) const {
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += counters_[i].value();
  }

 private:
  std::array<metrics::SingleWriterNumber, kRequestCodes.size()> counters_;
};

}  // namespace hubbub::client
