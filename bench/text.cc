#include "bench/text.h"

#include <array>
#include <cstring>

namespace hubbub::bench {
namespace {

constexpr char kFilling = 'x';
constexpr std::array<signed char, 256> kHexValues = [] {
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 16; ++i)
    values[static_cast<unsigned char>("0123456789abcdef"[i])] = static_cast<signed char>(i);
  return values;
}();

void AppendHex(uint32_t value, int digits, std::string& out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
}

// False if one of the characters is no digit.
bool ReadHex(const char* at, int digits, uint32_t& value) {
  int wrong = 0;
  value = 0;
  for (int i = 0; i < digits; ++i) {
    const int digit = kHexValues[static_cast<unsigned char>(at[i])];
    wrong |= digit;
    value = value << 4 | static_cast<uint32_t>(digit & 15);
  }
  return wrong >= 0;
}

}  // namespace

void WriteText(uint32_t sender, uint32_t number, size_t bytes, std::string& out) {
  out += '~';
  AppendHex(sender, 4, out);
  out += '.';
  AppendHex(number, 8, out);
  out += '.';
  out.append(bytes - kMinTextBytes, kFilling);
}

std::optional<FoundText> FindText(std::string_view body, size_t bytes) {
  if (body.size() < kMinTextBytes) return std::nullopt;
  const char* at = body.data();
  const char* const end = at + body.size();
  // The mark may be a length or a number of a protobuf body too: only what follows tells.
  while ((at = static_cast<const char*>(std::memchr(at, '~', static_cast<size_t>(end - at)))) != nullptr) {
    if (static_cast<size_t>(end - at) < kMinTextBytes) return std::nullopt;
    FoundText found;
    if (at[5] == '.' && at[14] == '.' && ReadHex(at + 1, 4, found.sender) &&
        ReadHex(at + 6, 8, found.number)) {
      const char* filling = at + kMinTextBytes;
      const size_t fill = bytes - kMinTextBytes;
      // All equal to the first is equal to the one before: one memcmp, at the library's speed.
      found.whole =
          static_cast<size_t>(end - filling) >= fill &&
          (fill == 0 || (*filling == kFilling && std::memcmp(filling, filling + 1, fill - 1) == 0)) &&
          (filling + fill == end || filling[fill] != kFilling);
      return found;
    }
    ++at;
  }
  return std::nullopt;
}

}  // namespace hubbub::bench
