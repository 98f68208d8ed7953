#include "services/base/clock.h"

#include <time.h>

namespace hubbub {
namespace {

int64_t NowMs(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

int64_t SteadyNowMs() {
  return NowMs(CLOCK_BOOTTIME);
}

int64_t SystemNowMs() {
  return NowMs(CLOCK_REALTIME);
}

}  // namespace hubbub
