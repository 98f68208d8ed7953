#include "services/base/name_characters.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub {
namespace {

using ::testing::HasSubstr;

TEST(NameFault, TakesNamesOfAllLanguages) {
  for (const char* name :
       {"Ann 1 *", "Anna Maria", "José", "Владимир", "日本", "محمد", "हिन्दी", "ภาษาไทย", "한국어", "ﬁx", "😂",
        "❤", "❤️", "©️", "☝🏽", "👩‍💻", "👩🏽‍💻", "👨‍👩‍👧",
        "👨‍👩‍👧👦", "ada👨‍👩‍👧‍👦bob", "🏴‍☠️", "🏳️‍🌈",
        "👩‍❤️‍👨", "🧑🏻‍🤝‍🧑🏿", "🕵️‍♂️", "👁️‍🗨️", "🇩🇪",
        "😀😀", "👍🏽",
        // Persian: the joiner parts what would be written as one.
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0646\u0627\u0645\u200c\u0647\u0627",
        // Marathi, Hindi, Sinhala, Kannada: a half letter, a conjunct that is made, and one that is not.
        "\u0926\u0930\u094d\u200d\u092f\u093e", "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200c\u0937",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0cb0\u0ccd\u200d\u0c95",
        // Bengali, with its joiner before the sign.
        "\u09b0\u200d\u09cd\u09af\u09be\u09ae",
        // A dot that is seen, below an accent, as in Lithuanian.
        "i\u0307\u0301", "İ", "ż"}) {
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
      {"a selector behind an emoji", "😀\ufe0f", "behind an emoji that needs none (U+FE0F) at byte 4"},
      {"a selector behind a modifier", "w🏻\ufe0f", "behind an emoji that needs none (U+FE0F)"},
      {"a selector within an emoji", "👩\ufe0f\u200d💻", "behind an emoji that needs none (U+FE0F)"},
      {"a selector before a modifier", "☝\ufe0f🏽", "cannot be seen (U+FE0F)"},
      {"two selectors", "❤\ufe0f\ufe0f", "cannot be seen (U+FE0F) at byte 6"},
      {"a selector behind an accent", "é\ufe0f", "cannot be seen (U+FE0F)"},
      {"a joiner between emojis that make none", "😀\u200d🚀",
       "joins nothing and cannot be seen (U+200D) at byte 4"},
      {"a joiner too many", "👩\u200d\u200d💻", "joins nothing and cannot be seen (U+200D)"},
      {"one person more than Unicode has", "👨\u200d👩\u200d👧\u200d👦\u200d👦", "joins nothing"},
      {"a joiner before an emoji", "a\u200d💻", "joins nothing"},
      {"an emoji without its selector", "🏴\u200d☠", "joins nothing"},
      {"a joiner of a letter that joins anyway", "\u0647\u200d\u0647", "joins nothing"},
      {"a non-joiner where nothing is joined", "\u062f\u200c\u062f",
       "joins nothing and cannot be seen (U+200C)"},
      {"two non-joiners", "\u0645\u06cc\u200c\u200c\u062e", "joins nothing"},
      {"a non-joiner at the end", "\u0645\u06cc\u200c", "joins nothing"},
      {"a joiner behind a virama at the end", "\u0915\u094d\u200d", "joins nothing"},
      {"a joiner before a sign that has it behind", "\u0915\u200d\u094d\u0937", "joins nothing"},
      {"a joiner between two scripts",
       "\u0915\u094d\u200d"
       "a",
       "joins nothing"},
      {"a joiner without a virama", "\u0915\u200d\u0937", "joins nothing"},
      {"a blank of no break", "a\u00a0z", "a blank other than U+0020 (U+00A0) at byte 1"},
      {"an en blank", "a\u2002z", "a blank other than U+0020 (U+2002)"},
      {"a blank of Ogham", "a\u1680z", "a blank other than U+0020 (U+1680)"},
      {"an ideographic blank within", "日\u3000本", "a blank other than U+0020 (U+3000)"},
      {"two blanks", "ada  d", "two blanks where one would look alike (U+0020) at byte 4"},
      {"a blank of Braille", "ada\u2800", "cannot be seen (U+2800)"},
      {"a note without a head", "x\U0001d159", "cannot be seen (U+1D159)"},
      {"an object that is not there", "y\ufffc", "cannot be seen (U+FFFC)"},
      {"what is no character", "y\uffff", "cannot be seen (U+FFFF)"},
      {"a half filler", "a\uffa0", "cannot be seen (U+FFA0)"},
      {"a vowel that is not written", "ក\u17b4", "cannot be seen (U+17B4)"},
      {"a dot on an i", "i\u0307", "a dot that cannot be seen on a letter that has one (U+0307) at byte 1"},
      {"a dot on an i with a dot below", "\u1ecb\u0307n", "a dot that cannot be seen"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(NameFault(one.name).value_or("nothing is wrong"), HasSubstr(one.why)) << one.what;
  }
}

}  // namespace
}  // namespace hubbub
