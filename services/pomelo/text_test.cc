#include "services/pomelo/text.h"
#include "services/base/json_text.h"
#include "services/base/utf8.h"

#include "boost/json.hpp"
#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

constexpr std::string_view kJoy = "\xf0\x9f\x98\x82";              // U+1F602
constexpr std::string_view kJoyCesu = "\xed\xa0\xbd\xed\xb8\x82";  // The same as two surrogates.
constexpr std::string_view kLoneHigh = "\xed\xa0\xbd";
constexpr std::string_view kLoneLow = "\xed\xb8\x82";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const std::string_view part : parts) all += part;
  return all;
}

TEST(IsUtf8, TakesEveryLengthAtItsLimits) {
  for (const std::string_view text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << ToHex(text);
    EXPECT_TRUE(IsUtf8(Join({"12345678", text, "12345678"}))) << ToHex(text);
  }
}

TEST(IsUtf8, RefusesWhatIsIllFormed) {
  for (const std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe1\x80",
        "\xe1\x80\x41", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    for (const std::string_view before : {"", "1", "12345678", "1234567812345"}) {
      EXPECT_FALSE(IsUtf8(Join({before, text}))) << ToHex(text);
      EXPECT_FALSE(IsUtf8(Join({before, text, "12345678"}))) << ToHex(text);
    }
  }
}

TEST(ToUtf8, LeavesUtf8AsItIs) {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const std::string text = RandomText(random, 20);
    EXPECT_EQ(ToUtf8(text), text);
  }
}

TEST(ToUtf8, JoinsSurrogatePairs) {
  EXPECT_EQ(ToUtf8(kJoyCesu), kJoy);
  EXPECT_EQ(ToUtf8(Join({"a", kJoyCesu, kJoyCesu, kJoy, "\xc3\xbc"})),
            Join({"a", kJoy, kJoy, kJoy, "\xc3\xbc"}));
}

TEST(ToUtf8, RefusesWhatIsNeither) {
  for (const std::string& text :
       {Join({kJoyCesu, "\xff"}), Join({kLoneHigh, "\xed\xb8"}), Join({kLoneHigh, "\xc3"}),
        Join({kLoneLow, "\xc0\x80"}), std::string("\xed\xa0")}) {
    EXPECT_EQ(ToUtf8(Tight(text).view()), std::nullopt) << ToHex(text);
  }
}

TEST(ToUtf8, PutsAReplacementWhereHalfAPairIsMissing) {
  const struct {
    std::string text, utf8;
  } cases[] = {
      {std::string(kLoneHigh), std::string(kReplacement)},
      {std::string(kLoneLow), std::string(kReplacement)},
      {Join({"a", kLoneHigh, "b"}), Join({"a", kReplacement, "b"})},
      {Join({kLoneHigh, "\xc3\xbc"}), Join({kReplacement, "\xc3\xbc"})},
      {Join({kLoneHigh, kJoyCesu}), Join({kReplacement, kJoy})},
      {Join({kJoyCesu, kLoneLow, kLoneHigh}), Join({kJoy, kReplacement, kReplacement})},
      {Join({kLoneHigh, kJoy}), Join({kReplacement, kJoy})},
  };
  for (const auto& c : cases) EXPECT_EQ(ToUtf8(Tight(c.text).view()), c.utf8) << ToHex(c.text);
}

TEST(FindLoneEscape, FindsHalvesOfPairsAlone) {
  const struct {
    std::string json;
    size_t at;
  } cases[] = {
      {"{}", 2},
      {R"("\ud83d\ude02")", 14},
      {R"("\uD83D\uDE02")", 14},
      {R"("\ud83d")", 1},
      {R"("\ude02")", 1},
      {R"("\ude02\ud83d")", 1},
      {R"("\ud83d\ud83d\ude02")", 1},
      {R"("\ud83d\ude02\ude02")", 13},
      {R"("\ud83d\n\ude02")", 1},
      {R"("\ud83dx\ude02")", 1},
      {R"("\\ud83d")", 9},
      {R"("\\\ud83d")", 3},
      {R"("\u00e9\"\ud7ff\ue000")", 22},
      {R"("\ud83)", 6},
      {R"("\ud8zz")", 8},
      {R"(\)", 1},
  };
  for (const auto& c : cases) EXPECT_EQ(FindLoneEscape(Tight(c.json).view(), 0), c.at) << c.json;
  EXPECT_EQ(FindLoneEscape(R"(\ud83d\ud83d)", 6), 6u);
}

TEST(ToCesu8, AgreesWithTheBrowserClient) {
  for (const boost::json::value& vector : Vectors("texts")) {
    EXPECT_EQ(ToHex(ToCesu8(StringMember(vector, "text"))), StringMember(vector, "cesu8"));
    EXPECT_EQ(ToUtf8(HexMember(vector, "cesu8")), StringMember(vector, "text"));
  }
}

TEST(ToCesu8, IsUndoneByToUtf8) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    const std::string text = RandomText(random, 20);
    EXPECT_EQ(ToUtf8(ToCesu8(text)), text);
  }
}

TEST(EscapeNonBmp, EscapesFourByteCharactersAlone) {
  EXPECT_EQ(EscapeNonBmp(Join({"{\"m\":\"", kJoy, " \xef\xbf\xbf\"}"})),
            "{\"m\":\"\\ud83d\\ude02 \xef\xbf\xbf\"}");
  EXPECT_EQ(EscapeNonBmp("\xf4\x8f\xbf\xbf\xf0\x90\x80\x80"), "\\udbff\\udfff\\ud800\\udc00");
  EXPECT_EQ(EscapeNonBmp("{}"), "{}");
}

TEST(EscapeNonBmp, KeepsTheJsonValue) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const boost::json::value value = {{"text", RandomText(random, 20)}};
    EXPECT_EQ(boost::json::parse(EscapeNonBmp(boost::json::serialize(value))), value);
  }
}

TEST(JsonSize, AgreesWithTheSerialiserForEveryByte) {
  for (int c = 0; c < 0x80; ++c) {
    for (const std::string_view around : {"", "abcdefgh"}) {
      const std::string text = Join({around, std::string(1, static_cast<char>(c)), around});
      EXPECT_EQ(JsonSize(text), boost::json::serialize(boost::json::string(text)).size() - 2) << c;
    }
  }
}

TEST(JsonSize, AgreesWithTheSerialiserForAnyText) {
  std::mt19937 random(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = RandomText(random, 30);
    EXPECT_EQ(JsonSize(text), EscapeNonBmp(boost::json::serialize(boost::json::string(text))).size() - 2)
        << text;
  }
}

TEST(AppendJsonString, HasTheBytesOfTheSerialiser) {
  std::mt19937 random(6);
  for (int i = 0; i < 4000; ++i) {
    const std::string text = i < 256      ? Join({"abcdefgh", std::string(1, static_cast<char>(i)), "ij"})
                             : i % 2 == 0 ? RandomText(random, 30)
                                          : RandomBytes(random, 30);
    const Tight bytes(text);
    std::string out = "before ";
    AppendJsonString(bytes.view(), out);
    EXPECT_EQ(out, "before " + EscapeNonBmp(boost::json::serialize(boost::json::string(text)))) << text;
  }
}

TEST(Text, NeverReadsPastTheEnd) {
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    const Tight bytes(RandomBytes(random, 40));
    EXPECT_EQ(IsUtf8(bytes.view()), ToUtf8(bytes.view()) == bytes.view());
    EXPECT_GE(JsonSize(bytes.view()), bytes.view().size());
    EXPECT_GE(ToCesu8(bytes.view()).size(), bytes.view().size());
  }
}

}  // namespace
}  // namespace hubbub::pomelo
