#include "services/base/json_text.h"

#include <array>
#include <cstdint>

#include "services/base/utf8.h"

namespace hubbub {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr char kHex[] = "0123456789abcdef";

// Not zero if a byte of `word` is below `n`, for n up to 0x80. A borrow may mark bytes above such a byte, but
// none without one.
uint64_t Below(uint64_t word, uint8_t n) {
  return (word - kOnes * n) & ~word & kHighBits;
}

void AppendEscape(uint32_t unit, std::string& out) {
  out += {'\\', 'u', kHex[unit >> 12], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15], kHex[unit & 15]};
}

// By how many bytes JSON text is longer than the byte that it stands for.
constexpr std::array<uint8_t, 256> kJsonGrowth = [] {
  std::array<uint8_t, 256> growth{};
  for (size_t c = 0; c < 0x20; ++c) growth[c] = 5;  // \u00XX
  for (const char c : {'"', '\\', '\b', '\f', '\n', '\r', '\t'}) growth[static_cast<uint8_t>(c)] = 1;
  for (size_t c = 0xf0; c <= 0xff; ++c) growth[c] = 8;  // Four bytes become \uXXXX\uXXXX.
  return growth;
}();

// Not zero if JSON text is longer than some byte of `word`, or if one might be so.
uint64_t Grows(uint64_t word) {
  return Below(word, 0x20) | Below(word ^ kOnes * '"', 1) | Below(word ^ kOnes * '\\', 1) | LeadsOfFour(word);
}

// The first byte at or after `i` for which JSON text has more bytes; the size of `text` if there is none.
size_t FindGrowing(std::string_view text, size_t i) {
  while (i < text.size()) {
    if (text.size() - i >= 8 && Grows(Word(text.data() + i)) == 0) {
      i += 8;
      continue;
    }
    for (int run = 0; run < 8 && i < text.size(); ++run, ++i) {
      if (kJsonGrowth[static_cast<uint8_t>(text[i])] != 0) return i;
    }
  }
  return i;
}

// A character of one byte for which JSON text has more.
void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
    case '\\':
      out += {'\\', c};
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      AppendEscape(static_cast<uint8_t>(c), out);
  }
}

void AppendPair(uint32_t code, std::string& out) {
  AppendEscape(HighSurrogate(code), out);
  AppendEscape(LowSurrogate(code), out);
}

}  // namespace

std::string EscapeNonBmp(std::string json) {
  const size_t first = FindFour(json, 0);
  if (first == json.size()) return json;
  return ReplaceFours(json, first, AppendPair);
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t copied = 0;
  for (size_t i = FindGrowing(text, 0); i < text.size(); i = FindGrowing(text, i)) {
    const Char c = ReadChar(text, i);
    if (c.size == 0) {  // No UTF-8.
      ++i;
      continue;
    }
    out.append(text, copied, i - copied);
    if (c.size == 1) {
      AppendEscaped(text[i], out);
    } else {
      AppendPair(c.code, out);
    }
    copied = i += c.size;
  }
  out.append(text, copied);
  out += '"';
}

size_t JsonSize(std::string_view utf8) {
  size_t size = utf8.size();
  size_t i = 0;
  while (i < utf8.size()) {
    if (utf8.size() - i >= 8 && Grows(Word(utf8.data() + i)) == 0) {
      i += 8;
      continue;
    }
    for (int run = 0; run < 8 && i < utf8.size(); ++run) size += kJsonGrowth[static_cast<uint8_t>(utf8[i++])];
  }
  return size;
}

}  // namespace hubbub
