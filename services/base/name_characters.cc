#include "services/base/name_characters.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <vector>

#include "fmt/format.h"
#include "services/base/utf8.h"

namespace hubbub {
namespace {

constexpr UChar32 kNonJoiner = 0x200c;      // ZERO WIDTH NON-JOINER
constexpr UChar32 kJoiner = 0x200d;         // ZERO WIDTH JOINER
constexpr UChar32 kEmojiSelector = 0xfe0f;  // VARIATION SELECTOR-16
constexpr UChar32 kDotAbove = 0x307;        // COMBINING DOT ABOVE
constexpr int kVirama = 9;                  // The combining class of what joins two consonants of India.

// What fonts leave empty, though Unicode does not say so.
constexpr UChar32 kEmpty[] = {
    0x2800,   // BRAILLE PATTERN BLANK
    0xfffc,   // OBJECT REPLACEMENT CHARACTER
    0x13441,  // EGYPTIAN HIEROGLYPH FULL BLANK
    0x13442,  // EGYPTIAN HIEROGLYPH HALF BLANK
    0x16fe4,  // KHITAN SMALL SCRIPT FILLER
    0x1d159,  // MUSICAL SYMBOL NULL NOTEHEAD
};

bool Has(UChar32 code, UProperty property) {
  return u_hasBinaryProperty(code, property) != 0;
}

// A character of a name, and what stands around it.
class Place {
 public:
  Place(const std::vector<UChar32>& text, size_t at) : text_(text), at_(at) {}

  UChar32 code() const { return text_[at_]; }
  // 0 where the name ends.
  UChar32 before() const { return at_ > 0 ? text_[at_ - 1] : 0; }
  UChar32 after() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : 0; }

  // An emoji that is one by itself needs no selector; another one looks different with it.
  bool SelectsAnEmoji() const {
    return before() > 0x7f && Has(before(), UCHAR_EMOJI) && !Has(before(), UCHAR_EMOJI_PRESENTATION) &&
           !(Has(before(), UCHAR_EMOJI_MODIFIER_BASE) && Has(after(), UCHAR_EMOJI_MODIFIER));
  }

  // The emoji of several that it is within is one that Unicode lists (UTS 51, ED-27).
  bool JoinsAnEmoji() const {
    size_t begin = at_;
    while (begin > 0 && IsOfAnEmoji(begin - 1)) --begin;
    size_t end = at_;
    while (end < text_.size() && IsOfAnEmoji(end)) ++end;
    // The joiner may be in any of those that stand here in a row.
    for (size_t from = begin; from < at_;) {
      const size_t to = EndOfSequence(from, end);
      if (to > at_) {
        const icu::UnicodeString text =
            icu::UnicodeString::fromUTF32(text_.data() + from, static_cast<int32_t>(to - from));
        return u_stringHasBinaryProperty(text.getBuffer(), text.length(), UCHAR_RGI_EMOJI_ZWJ_SEQUENCE) != 0;
      }
      from = to;
    }
    return false;
  }

  // Persian and others: it parts two letters that would be written as one (UAX 31, A1).
  bool PartsLetters() const {
    const auto joins = [&](size_t i, UJoiningType side) {
      const auto type = JoiningOf(text_[i]);
      return type == U_JT_DUAL_JOINING || type == side;
    };
    size_t left = at_;
    while (left > 0 && JoiningOf(text_[left - 1]) == U_JT_TRANSPARENT) --left;
    size_t right = at_ + 1;
    while (right < text_.size() && JoiningOf(text_[right]) == U_JT_TRANSPARENT) ++right;
    return left > 0 && right < text_.size() && joins(left - 1, U_JT_LEFT_JOINING) &&
           joins(right, U_JT_RIGHT_JOINING);
  }

  // Scripts of India: it says how two consonants are joined, behind the sign that joins them (UAX 31, A2, B).
  bool ShapesAConjunct() const {
    if (IsBeforeBengaliYa()) return true;
    if (u_getCombiningClass(before()) != kVirama || after() == 0 || !u_isalpha(after())) return false;
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(before(), &error);
    return script > USCRIPT_INHERITED && uscript_getScript(after(), &error) == script;
  }

  // The dot of an i that has one already. With an accent above, as in Lithuanian, it is seen.
  bool IsADotTwice() const {
    return code() == kDotAbove && Has(before(), UCHAR_SOFT_DOTTED) &&
           u_getCombiningClass(after()) != u_getCombiningClass(kDotAbove);
  }

 private:
  // Bengali alone has its joiner before the sign, in ra with ya-phalaa (Unicode 15.0, 12.2).
  bool IsBeforeBengaliYa() const {
    return code() == kJoiner && before() == 0x9b0 && after() == 0x9cd && at_ + 2 < text_.size() &&
           text_[at_ + 2] == 0x9af;
  }
  static int32_t JoiningOf(UChar32 code) { return u_getIntPropertyValue(code, UCHAR_JOINING_TYPE); }

  bool IsOfAnEmoji(size_t i) const {
    return text_[i] == kJoiner || text_[i] == kEmojiSelector || Has(text_[i], UCHAR_EXTENDED_PICTOGRAPHIC) ||
           Has(text_[i], UCHAR_EMOJI_MODIFIER);
  }
  // An emoji, with what changes it, and those that are joined to it.
  size_t EndOfSequence(size_t from, size_t end) const {
    size_t to = from + 1;
    while (to < end) {
      const bool joined = text_[to - 1] == kJoiner;
      const bool changes =
          text_[to] == kJoiner || text_[to] == kEmojiSelector || Has(text_[to], UCHAR_EMOJI_MODIFIER);
      if (!joined && !changes) break;
      ++to;
    }
    return to;
  }

  const std::vector<UChar32>& text_;
  const size_t at_;
};

std::optional<std::string_view> CharacterFault(const Place& place) {
  static constexpr std::string_view kUnseen = "a character that cannot be seen";
  const UChar32 code = place.code();
  switch (u_charType(code)) {
    case U_CONTROL_CHAR:
      return "a control character";
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
      return "a line or paragraph separator";
    case U_SPACE_SEPARATOR:
      if (code == ' ' && place.before() == ' ') return "two blanks where one would look alike";
      return code == ' ' ? std::nullopt : std::optional("a blank other than U+0020");
    default:
      break;
  }
  if (code == kEmojiSelector) {
    if (place.SelectsAnEmoji()) return std::nullopt;
    if (Has(place.before(), UCHAR_EMOJI_PRESENTATION))
      return "a selector that cannot be seen behind an emoji that needs none";
    return kUnseen;
  }
  if (code == kJoiner && (place.JoinsAnEmoji() || place.ShapesAConjunct())) return std::nullopt;
  if (code == kNonJoiner && (place.PartsLetters() || place.ShapesAConjunct())) return std::nullopt;
  if (code == kJoiner || code == kNonJoiner) return "a joiner that joins nothing and cannot be seen";
  if (place.IsADotTwice()) return "a dot that cannot be seen on a letter that has one";
  const bool unseen = u_charType(code) == U_FORMAT_CHAR || Has(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
                      Has(code, UCHAR_NONCHARACTER_CODE_POINT) ||
                      std::find(std::begin(kEmpty), std::end(kEmpty), code) != std::end(kEmpty);
  return unseen ? std::optional(kUnseen) : std::nullopt;
}

// True for what nearly all names are: all that can be seen of ASCII, and single blanks within.
bool IsPlain(std::string_view name) {
  return !name.starts_with(' ') && !name.ends_with(' ') && name.find("  ") == std::string_view::npos &&
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
  std::vector<UChar32> text;
  std::vector<size_t> bytes;  // Where each character begins.
  for (size_t i = 0; i < name.size(); i += ReadChar(name, i).size) {
    text.push_back(static_cast<UChar32>(ReadChar(name, i).code));
    bytes.push_back(i);
  }
  if (u_charType(text.front()) == U_SPACE_SEPARATOR) return "has a blank at its beginning";
  if (u_charType(text.back()) == U_SPACE_SEPARATOR) return "has a blank at its end";
  for (size_t i = 0; i < text.size(); ++i) {
    if (const auto fault = CharacterFault({text, i}))
      return fmt::format("has {} (U+{:04X}) at byte {}", *fault, text[i], bytes[i]);
  }
  if (!IsNfc(name))
    return "is not in Unicode's form NFC: normalize it first, as JavaScript's normalize() does";
  return std::nullopt;
}

}  // namespace hubbub
