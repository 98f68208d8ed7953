#pragma once

#include <chrono>
#include <cstddef>

namespace hubbub::program {

// Memory of the process that is in the machine, in bytes; 0 if the system does not say.
size_t ResidentBytes();

// Gives memory that was used and freed, as after a flood of clients, back to the system: the C library keeps
// it otherwise. Not thread-safe.
class MemoryTrim {
 public:
  using Clock = std::chrono::steady_clock;

  // Looks at the memory every kEvery, and gives back what is worth the time. Call it as often as you like.
  void Tick(Clock::time_point now);

  // Whether so much is resident and not in use that giving it back is worth walking over it.
  // `resident_before`: what was resident after the last time; what could not be given back then cannot be
  // now.
  static bool IsWorthIt(size_t resident, size_t in_use, size_t resident_before);

 private:
  static constexpr std::chrono::seconds kEvery{10};
  // What a program has beside what it has allocated: its code, stacks, the C library's own.
  static constexpr size_t kIdle = size_t{64} << 20;
  static constexpr size_t kGrown = size_t{16} << 20;

  Clock::time_point next_;
  size_t resident_before_ = 0;
};

}  // namespace hubbub::program
