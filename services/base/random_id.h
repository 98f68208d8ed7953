#pragma once

#include <cstdint>
#include <random>

#include "services/base/entropy.h"

namespace hubbub {

// A random number from 1 to 2^53 - 1, for epochs and leases: unlike any of an earlier life of a server,
// hard to guess, and exact in every JSON client. Thread-safe.
inline uint64_t RandomId() {
  Entropy entropy;
  return std::uniform_int_distribution<uint64_t>(1, (uint64_t{1} << 53) - 1)(entropy);
}

}  // namespace hubbub
