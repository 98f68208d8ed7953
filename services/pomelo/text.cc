#include "services/pomelo/text.h"

#include <charconv>
#include <cstdint>

#include "services/base/utf8.h"

namespace hubbub::pomelo {
namespace {

constexpr uint32_t kReplacement = 0xfffd;

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

// The UTF-16 unit that the escape at `i` stands for; nothing if there is no \uXXXX.
std::optional<uint32_t> EscapedUnit(std::string_view json, size_t i) {
  constexpr size_t kSize = 6;
  if (json.size() < kSize || i > json.size() - kSize || json[i] != '\\' || json[i + 1] != 'u') return {};
  uint32_t unit = 0;
  const char* const end = json.data() + i + kSize;
  return std::from_chars(json.data() + i + 2, end, unit, 16).ptr == end ? std::optional(unit) : std::nullopt;
}

}  // namespace

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

}  // namespace hubbub::pomelo
