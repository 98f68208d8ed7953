#include "services/pomelo/text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

namespace hubbub::pomelo {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080u;
constexpr uint64_t kOnes = 0x0101010101010101u;
constexpr char kHex[] = "0123456789abcdef";
constexpr uint32_t kReplacement = 0xfffd;

uint64_t Word(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Not zero if a byte of `word` is 0xf0 or more: the only bytes that begin a four-byte character.
uint64_t LeadsOfFour(uint64_t word) {
  return word & word << 1 & word << 2 & word << 3 & kHighBits;
}

// Not zero if a byte of `word` is below `n`, for n up to 0x80. A borrow may mark bytes above such a byte, but
// none without one.
uint64_t Below(uint64_t word, uint8_t n) {
  return (word - kOnes * n) & ~word & kHighBits;
}

uint8_t Byte(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

bool IsTail(std::string_view text, size_t i) {
  return (Byte(text, i) & 0xc0) == 0x80;
}

bool IsSurrogate(uint32_t code) {
  return (code & 0xfffff800) == 0xd800;
}
bool IsHighSurrogate(uint32_t code) {
  return (code & 0xfffffc00) == 0xd800;
}
bool IsLowSurrogate(uint32_t code) {
  return (code & 0xfffffc00) == 0xdc00;
}

// One encoded character. A surrogate in three bytes is read as any other; the callers have different opinions
// of it.
struct Char {
  uint32_t code = 0;
  size_t size = 0;  // 0: ill-formed.
};

Char ReadChar(std::string_view text, size_t i) {
  const size_t left = text.size() - i;
  const uint32_t lead = Byte(text, i);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xc2) return {};
  if (lead < 0xe0) {
    if (left < 2 || !IsTail(text, i + 1)) return {};
    return {(lead & 0x1f) << 6 | (Byte(text, i + 1) & 0x3fu), 2};
  }
  if (lead < 0xf0) {
    if (left < 3 || !IsTail(text, i + 1) || !IsTail(text, i + 2)) return {};
    const uint32_t code =
        (lead & 0x0f) << 12 | (Byte(text, i + 1) & 0x3fu) << 6 | (Byte(text, i + 2) & 0x3fu);
    return code < 0x800 ? Char{} : Char{code, 3};
  }
  if (lead > 0xf4 || left < 4 || !IsTail(text, i + 1) || !IsTail(text, i + 2) || !IsTail(text, i + 3))
    return {};
  const uint32_t code = (lead & 0x07) << 18 | (Byte(text, i + 1) & 0x3fu) << 12 |
                        (Byte(text, i + 2) & 0x3fu) << 6 | (Byte(text, i + 3) & 0x3fu);
  return code < 0x10000 || code > 0x10ffff ? Char{} : Char{code, 4};
}

// Where well-formed UTF-8 ends: text.size() if it never does.
size_t Utf8Prefix(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && (Word(text.data() + i) & kHighBits) == 0) {
      i += 8;
      continue;
    }
    // Text that is not ASCII seldom turns ASCII for eight bytes at once, so a run of it does without the
    // look-ahead.
    for (int run = 0; run < 8 && i < text.size(); ++run) {
      const Char c = ReadChar(text, i);
      if (c.size == 0 || IsSurrogate(c.code)) return i;
      i += c.size;
    }
  }
  return i;
}

// The first byte at or after `i` that begins a four-byte character, else the size.
size_t FindFour(std::string_view text, size_t i) {
  for (; text.size() - i >= 8; i += 8) {
    if (LeadsOfFour(Word(text.data() + i)) != 0) break;
  }
  while (i < text.size() && Byte(text, i) < 0xf0) ++i;
  return i;
}

void AppendThree(uint32_t code, std::string& out) {
  out += static_cast<char>(0xe0 | code >> 12);
  out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

void AppendFour(uint32_t code, std::string& out) {
  out += static_cast<char>(0xf0 | code >> 18);
  out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
  out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

void AppendEscape(uint32_t unit, std::string& out) {
  out += {'\\', 'u', kHex[unit >> 12], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15], kHex[unit & 15]};
}

uint32_t HighSurrogate(uint32_t code) {
  return 0xd800 + ((code - 0x10000) >> 10);
}
uint32_t LowSurrogate(uint32_t code) {
  return 0xdc00 + ((code - 0x10000) & 0x3ff);
}

// `text` with `append(code, out)` in place of each four-byte character; the rest is copied in runs,
// ill-formed bytes too.
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

// The UTF-16 unit that the escape at `i` stands for; nothing if there is no \uXXXX.
std::optional<uint32_t> EscapedUnit(std::string_view json, size_t i) {
  constexpr size_t kSize = 6;
  if (json.size() < kSize || i > json.size() - kSize || json[i] != '\\' || json[i + 1] != 'u') return {};
  uint32_t unit = 0;
  const char* const end = json.data() + i + kSize;
  return std::from_chars(json.data() + i + 2, end, unit, 16).ptr == end ? std::optional(unit) : std::nullopt;
}

// By how many bytes JSON text is longer than the byte that it stands for.
constexpr std::array<uint8_t, 256> kJsonGrowth = [] {
  std::array<uint8_t, 256> growth{};
  for (size_t c = 0; c < 0x20; ++c) growth[c] = 5;  // \u00XX
  for (const char c : {'"', '\\', '\b', '\f', '\n', '\r', '\t'}) growth[static_cast<uint8_t>(c)] = 1;
  for (size_t c = 0xf0; c <= 0xff; ++c) growth[c] = 8;  // Four bytes become \uXXXX\uXXXX.
  return growth;
}();

}  // namespace

bool IsUtf8(std::string_view text) {
  return Utf8Prefix(text) == text.size();
}

std::optional<std::string> ToUtf8(std::string_view text) {
  size_t i = Utf8Prefix(text);
  if (i == text.size()) return std::string(text);
  std::string out;
  out.reserve(text.size());
  size_t copied = 0;
  while (i < text.size()) {
    const Char high = ReadChar(text, i);
    if (high.size == 0) return std::nullopt;
    if (!IsSurrogate(high.code)) {
      i += high.size;
      continue;
    }
    const Char low = i + 3 < text.size() ? ReadChar(text, i + 3) : Char{};
    const bool pair = IsHighSurrogate(high.code) && IsLowSurrogate(low.code);
    out.append(text, copied, i - copied);
    if (pair) {
      AppendFour(0x10000 + ((high.code & 0x3ff) << 10 | (low.code & 0x3ff)), out);
    } else {
      AppendThree(kReplacement, out);
    }
    copied = i += pair ? 6 : 3;
  }
  return out.append(text, copied);
}

std::string ToCesu8(std::string_view utf8) {
  const size_t first = FindFour(utf8, 0);
  if (first == utf8.size()) return std::string(utf8);
  return ReplaceFours(utf8, first, [](uint32_t code, std::string& out) {
    AppendThree(HighSurrogate(code), out);
    AppendThree(LowSurrogate(code), out);
  });
}

std::string EscapeNonBmp(std::string json) {
  const size_t first = FindFour(json, 0);
  if (first == json.size()) return json;
  return ReplaceFours(json, first, [](uint32_t code, std::string& out) {
    AppendEscape(HighSurrogate(code), out);
    AppendEscape(LowSurrogate(code), out);
  });
}

size_t FindLoneEscape(std::string_view json, size_t from) {
  // A backslash is nowhere in JSON but in strings, before one character or uXXXX.
  size_t i = json.find('\\', from);
  while (i < json.size()) {
    const std::optional<uint32_t> unit = EscapedUnit(json, i);
    if (unit && IsSurrogate(*unit)) {
      const std::optional<uint32_t> next = EscapedUnit(json, i + 6);
      if (!IsHighSurrogate(*unit) || !next || !IsLowSurrogate(*next)) return i;
      i += 6;
    }
    i = json.find('\\', i + (unit ? 6 : 2));
  }
  return json.size();
}

size_t JsonSize(std::string_view utf8) {
  size_t size = utf8.size();
  size_t i = 0;
  while (i < utf8.size()) {
    if (utf8.size() - i >= 8) {
      const uint64_t word = Word(utf8.data() + i);
      const uint64_t special =
          Below(word, 0x20) | Below(word ^ kOnes * '"', 1) | Below(word ^ kOnes * '\\', 1);
      if ((special | LeadsOfFour(word)) == 0) {
        i += 8;
        continue;
      }
    }
    for (int run = 0; run < 8 && i < utf8.size(); ++run) size += kJsonGrowth[Byte(utf8, i++)];
  }
  return size;
}

}  // namespace hubbub::pomelo
