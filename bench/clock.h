#pragma once

#include <time.h>

#include <cstdint>

namespace hubbub::bench {

// Nanoseconds on a clock that only goes forward.
inline int64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

inline constexpr int64_t SecondsToNs(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

}  // namespace hubbub::bench
