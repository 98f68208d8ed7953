#pragma once

#include <time.h>

#include <chrono>

namespace hubbub {

// How busy this process keeps processors: 0.5 is half of one, 2 are two that are busy all the time. Over a
// window of 2 seconds at least, so that one look more or less changes nothing. Not thread-safe.
class CpuLoad {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;

  // `used`: processor time of the process so far.
  CpuLoad(Time now, Seconds used) : since_(now), used_(used) {}

  // The load over the last whole window; 0 before there is one.
  double Update(Time now, Seconds used) {
    if (const Seconds passed = now - since_; passed >= kWindow) {
      load_ = (used - used_) / passed;
      since_ = now;
      used_ = used;
    }
    return load_;
  }

  // Processor time of this process so far, of all its threads, user and system.
  static Seconds Used() {
    timespec used = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }

 private:
  static constexpr Seconds kWindow{2};

  Time since_;
  Seconds used_;
  double load_ = 0;
};

}  // namespace hubbub
