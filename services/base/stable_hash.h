#pragma once

#include <cstdint>
#include <string_view>

namespace hubbub {

// A 64-bit hash that is the same in every process, build and platform: FNV-1a, then the finaliser of
// SplitMix64, so that names that differ in their last character alone spread well. Not for secrets. Golden
// values stand in its test; a change of this function moves every room.
constexpr uint64_t StableHash(std::string_view bytes) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : bytes) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100000001b3u;
  }
  h ^= h >> 30;
  h *= 0xbf58476d1ce4e5b9u;
  h ^= h >> 27;
  h *= 0x94d049bb133111ebu;
  return h ^ (h >> 31);
}

}  // namespace hubbub
