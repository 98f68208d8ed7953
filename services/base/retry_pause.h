#pragma once

#include <chrono>
#include <cstdint>

namespace hubbub {

// How long to wait before something that was refused, or could not be had, is asked for again. The first
// tries follow quickly, because most of what is waited for comes within a moment; then the pauses double up
// to about a second. `tries`: how often it was asked for before. `seed`: any number that differs between
// those who wait for the same thing, so that they do not all ask at once: a pause is between a half and the
// whole of its length.
inline std::chrono::milliseconds RetryPause(int tries, uint64_t seed) {
  constexpr int kFastTries = 6;
  constexpr uint64_t kFirstMs = 50;
  constexpr uint64_t kMostMs = 1'000;
  uint64_t longest = kFirstMs;
  for (int i = kFastTries; i <= tries && longest < kMostMs; ++i) longest *= 2;
  longest = longest < kMostMs ? longest : kMostMs;
  // The finaliser of SplitMix64.
  uint64_t h = seed + (static_cast<uint64_t>(tries) + 1) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
  h ^= h >> 31;
  return std::chrono::milliseconds(longest / 2 + h % (longest / 2 + 1));
}

}  // namespace hubbub
