#pragma once

#include <cstdint>

namespace hubbub {

// The two clocks, in milliseconds. Both are thread-safe. Which of them something takes is part of what it
// means: whatever judges an age takes the first one, and the second one is only for what people are shown.

// Since this machine started. Never jumps when somebody sets the machine's time, and counts the time for
// which the machine was suspended (CLOCK_BOOTTIME). Only this machine knows what it means: servers tell each
// other ages.
int64_t SteadyNowMs();

// Since 1970, UTC, as the machine's time is set: it may jump, forward and back.
int64_t SystemNowMs();

}  // namespace hubbub
