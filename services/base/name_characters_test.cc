#include "services/base/name_characters.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub {
namespace {

using ::testing::HasSubstr;

TEST(NameFault, TakesNamesOfAllLanguages) {
  for (const char* name :
       {"Ann 1 *", "José", "Владимир", "日本", "محمد", "हिन्दी", "ภาษาไทย", "한국어", "a\u00a0z", "ﬁx", "😂",
        "❤️", "👩‍💻", "👩🏽‍💻", "👨‍👩‍👧", "🏴‍☠️", "🇩🇪"}) {
    EXPECT_EQ(NameFault(name), std::nullopt) << name;
  }
}

TEST(NameFault, RefusesWhatMakesTwoNamesLookAlike) {
  const struct {
    const char* what;
    const char* name;
    const char* why;
  } cases[] = {
      {"a blank before", " ada", "has a blank at its beginning"},
      {"a blank behind", "ada ", "has a blank at its end"},
      {"a blank alone", "\u00a0", "has a blank at its beginning"},
      {"an ideographic blank", "ada\u3000", "has a blank at its end"},
      {"NFD", "e\u0301", "NFC"},
      {"the Angstrom sign", "\u212b", "NFC"},
      {"jamo", "\u1112\u1161\u11ab", "NFC"},
      {"a zero width blank", "a\u200bda", "cannot be seen (U+200B) at byte 1"},
      {"a joiner between letters", "a\u200dda", "cannot be seen (U+200D) at byte 1"},
      {"a joiner at the end", "👩\u200d", "cannot be seen (U+200D) at byte 4"},
      {"a non-joiner", "a\u200cda", "cannot be seen (U+200C)"},
      {"right to left override", "a\u202eda", "cannot be seen (U+202E)"},
      {"an isolate", "a\u2066da", "cannot be seen (U+2066)"},
      {"a byte order mark", "\ufeffada", "cannot be seen (U+FEFF) at byte 0"},
      {"a soft hyphen", "a\u00adda", "cannot be seen (U+00AD)"},
      {"a tag", "ada\U000e0061", "cannot be seen (U+E0061)"},
      {"a Hangul filler", "\u3164", "cannot be seen (U+3164)"},
      {"a variation selector", "a\ufe0f", "cannot be seen (U+FE0F)"},
      {"another variation selector", "❤\ufe0e", "cannot be seen (U+FE0E)"},
      {"the grapheme joiner", "a\u034fda", "cannot be seen (U+034F)"},
      {"a line separator", "a\u2028da", "line or paragraph separator (U+2028)"},
      {"a paragraph separator", "a\u2029da", "line or paragraph separator (U+2029)"},
      {"a control character", "a\u0085da", "control character (U+0085) at byte 1"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(NameFault(one.name).value_or("nothing is wrong"), HasSubstr(one.why)) << one.what;
  }
}

}  // namespace
}  // namespace hubbub
