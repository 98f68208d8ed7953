#include "services/base/utf8.h"

namespace hubbub {
namespace {

uint8_t Byte(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

bool IsTail(std::string_view text, size_t i) {
  return (Byte(text, i) & 0xc0) == 0x80;
}

}  // namespace

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

size_t FindFour(std::string_view text, size_t i) {
  for (; text.size() - i >= 8; i += 8) {
    if (LeadsOfFour(Word(text.data() + i)) != 0) break;
  }
  while (i < text.size() && Byte(text, i) < 0xf0) ++i;
  return i;
}

bool IsUtf8(std::string_view text) {
  return Utf8Prefix(text) == text.size();
}

}  // namespace hubbub
