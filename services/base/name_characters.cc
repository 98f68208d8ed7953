#include "services/base/name_characters.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "fmt/format.h"
#include "services/base/utf8.h"

namespace hubbub {
namespace {

constexpr uint32_t kJoiner = 0x200d;         // ZERO WIDTH JOINER
constexpr uint32_t kEmojiSelector = 0xfe0f;  // VARIATION SELECTOR-16

bool Has(uint32_t code, UProperty property) {
  return u_hasBinaryProperty(static_cast<UChar32>(code), property) != 0;
}
bool IsBlank(uint32_t code) {
  return Has(code, UCHAR_WHITE_SPACE);
}

// True for what holds an emoji of several characters together (UTS 51, ED-15a and 16).
bool HoldsAnEmojiTogether(uint32_t before, uint32_t code, uint32_t after) {
  if (code == kEmojiSelector) return before > 0x7f && Has(before, UCHAR_EMOJI);
  return code == kJoiner && Has(after, UCHAR_EXTENDED_PICTOGRAPHIC) &&
         (before == kEmojiSelector || Has(before, UCHAR_EXTENDED_PICTOGRAPHIC) ||
          Has(before, UCHAR_EMOJI_MODIFIER));
}

std::optional<std::string_view> CharacterFault(uint32_t before, uint32_t code, uint32_t after) {
  switch (u_charType(static_cast<UChar32>(code))) {
    case U_CONTROL_CHAR:
      return "a control character";
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
      return "a line or paragraph separator";
    case U_FORMAT_CHAR:
      break;
    default:
      if (!Has(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return std::nullopt;
  }
  if (HoldsAnEmojiTogether(before, code, after)) return std::nullopt;
  return "a character that cannot be seen";
}

// True for what nearly all names are: all that can be seen of ASCII, and blanks within.
bool IsPlain(std::string_view name) {
  return !name.starts_with(' ') && !name.ends_with(' ') &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool IsNfc(std::string_view name) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return true;  // Its tables are in the library: this cannot be.
  const bool is =
      nfc->isNormalizedUTF8(icu::StringPiece(name.data(), static_cast<int32_t>(name.size())), error) != 0;
  return is || U_FAILURE(error);
}

}  // namespace

std::optional<std::string> NameFault(std::string_view name) {
  if (IsPlain(name)) return std::nullopt;
  uint32_t before = 0;
  for (size_t i = 0; i < name.size();) {
    const Char at = ReadChar(name, i);
    const size_t next = i + at.size;
    const uint32_t after = next < name.size() ? ReadChar(name, next).code : 0;
    if (const auto fault = CharacterFault(before, at.code, after))
      return fmt::format("has {} (U+{:04X}) at byte {}", *fault, at.code, i);
    if (i == 0 && IsBlank(at.code)) return "has a blank at its beginning";
    if (next == name.size() && IsBlank(at.code)) return "has a blank at its end";
    before = at.code;
    i = next;
  }
  if (!IsNfc(name))
    return "is not in Unicode's form NFC: normalize it first, as JavaScript's normalize() does";
  return std::nullopt;
}

}  // namespace hubbub
