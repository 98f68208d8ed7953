#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>

namespace hubbub {

// Random numbers that nobody can guess, from the kernel; a std::uniform_random_bit_generator. Thread-safe.
// Asks the kernel rather than the processor, as std::random_device does: in a virtual machine that takes a
// hundred times as long.
struct Entropy {
  using result_type = uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() const {
    result_type bits = 0;
    // Of so few bytes it fails only where the kernel has no such call.
    if (getentropy(&bits, sizeof(bits)) != 0) std::abort();
    return bits;
  }
};

}  // namespace hubbub
