#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hubbub {

// UTF-8, and what codecs that differ from it are built of. Pure functions, thread-safe.

// True if `text` is well-formed UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// The length of the longest prefix of `text` that is well-formed UTF-8.
size_t Utf8Prefix(std::string_view text);

// One encoded character. A surrogate in three bytes, as CESU-8 has it, is read like any other character.
struct Char {
  uint32_t code = 0;
  size_t size = 0;  // In bytes; 0 if it is ill-formed.
};
// The character at `i`, which is less than the size of `text`.
Char ReadChar(std::string_view text, size_t i);

constexpr bool IsSurrogate(uint32_t code) {
  return (code & 0xfffff800) == 0xd800;
}
constexpr bool IsHighSurrogate(uint32_t code) {
  return (code & 0xfffffc00) == 0xd800;
}
constexpr bool IsLowSurrogate(uint32_t code) {
  return (code & 0xfffffc00) == 0xdc00;
}
// The two halves that stand for a character above U+FFFF.
constexpr uint32_t HighSurrogate(uint32_t code) {
  return 0xd800 + ((code - 0x10000) >> 10);
}
constexpr uint32_t LowSurrogate(uint32_t code) {
  return 0xdc00 + ((code - 0x10000) & 0x3ff);
}

// Eight bytes of text at a time, for scans.
inline uint64_t Word(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}
inline constexpr uint64_t kHighBits = 0x8080808080808080u;
// Not zero if a byte of `word` is 0xf0 or more: the only bytes that begin a four-byte character.
constexpr uint64_t LeadsOfFour(uint64_t word) {
  return word & word << 1 & word << 2 & word << 3 & kHighBits;
}

// The first byte at or after `i` that begins a four-byte character; the size of `text` if there is none.
size_t FindFour(std::string_view text, size_t i);

// `text` with `append(code, out)` in place of each four-byte character. `first`: where the first one begins.
// The rest, ill-formed bytes included, is copied in runs.
template <typename Append>
std::string ReplaceFours(std::string_view text, size_t first, Append append) {
  std::string out;
  out.reserve(text.size() + 16);
  size_t copied = 0;
  for (size_t i = first; i < text.size(); i = FindFour(text, i)) {
    const Char c = ReadChar(text, i);
    if (c.size != 4) {
      ++i;
      continue;
    }
    out.append(text, copied, i - copied);
    append(c.code, out);
    copied = i += 4;
  }
  return out.append(text, copied);
}

}  // namespace hubbub
