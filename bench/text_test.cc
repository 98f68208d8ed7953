#include "bench/text.h"

#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

std::string Text(uint32_t sender, uint32_t number, size_t bytes = 64) {
  std::string text;
  WriteText(sender, number, bytes, text);
  return text;
}

TEST(Text, HasTheLengthAskedFor) {
  EXPECT_EQ(Text(1, 2, 64).size(), 64u);
  EXPECT_EQ(Text(1, 2, kMinTextBytes).size(), kMinTextBytes);
}

TEST(Text, IsFoundInJson) {
  const auto found = FindText(R"({"msg":")" + Text(0xabcd, 0x12345678) + R"(","from":"x","offset":7})", 64);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sender, 0xabcdu);
  EXPECT_EQ(found->number, 0x12345678u);
  EXPECT_TRUE(found->whole);
}

TEST(Text, IsFoundBehindALengthThatLooksLikeItsMark) {
  // 126 bytes: in protobuf the length before the text is "~".
  const auto found = FindText("\x0a~" + Text(1, 2, 126) + "\x12\x01u", 126);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, 2u);
  EXPECT_TRUE(found->whole);
}

TEST(Text, IsNotFoundWhereThereIsNone) {
  EXPECT_FALSE(FindText("", 64));
  EXPECT_FALSE(FindText("~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", 64));
  EXPECT_FALSE(FindText(R"({"msg":"hello"})", 64));
  EXPECT_FALSE(FindText(Text(1, 2).substr(0, 10), 64));
}

TEST(Text, IsNotWholeIfAnythingIsMissingAddedOrChanged) {
  const std::string text = Text(1, 2);
  EXPECT_FALSE(FindText(text.substr(0, 63), 64)->whole);
  EXPECT_FALSE(FindText(text.substr(0, 63) + "\"}", 64)->whole);
  EXPECT_FALSE(FindText(text + "x", 64)->whole);
  std::string changed = text;
  changed[40] = 'y';
  EXPECT_FALSE(FindText(changed, 64)->whole);
}

}  // namespace
}  // namespace hubbub::bench
