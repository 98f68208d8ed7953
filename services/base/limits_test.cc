#include "services/base/limits.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub {
namespace {

using ::testing::HasSubstr;

TEST(CheckName, TakesWhatCanNameAUserOrARoom) {
  for (const std::string& name :
       {std::string("a"), std::string("Ann 1 *"), std::string("\xe6\x97\xa5\xe6\x9c\xac"),
        std::string("\xf0\x9f\x98\x82"), std::string(64, 'n')}) {
    EXPECT_TRUE(CheckName("user", name).ok()) << CheckName("user", name);
  }
}

TEST(CheckName, SaysWhatIsWrongAndWhere) {
  const struct {
    std::string name, why;
  } cases[] = {
      {"", "room is empty"},
      {std::string(65, 'n'), "room has 65 bytes"},
      {"a\xff", "room is not valid UTF-8"},
      {"\xed\xa0\xbd\xed\xb8\x82", "room is not valid UTF-8"},
      {std::string("a\0b", 3), "room has a control character (U+0000) at byte 1"},
      {"ab\n", "control character (U+000A) at byte 2"},
      {"\x1f", "control character (U+001F) at byte 0"},
      {"a\x7f", "control character (U+007F) at byte 1"},
      {"a\xc2\x80", "control character (U+0080) at byte 1"},
      {"\xc2\x9f", "control character (U+009F) at byte 0"},
      {" a", "room has a blank at its beginning"},
      {"e\xcc\x81", "room is not in Unicode's form NFC"},
  };
  for (const auto& c : cases) {
    const absl::Status status = CheckName("room", c.name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.why;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.why));
  }
}

TEST(CheckContent, TakesAnyTextWithinItsBounds) {
  EXPECT_TRUE(CheckContent("").ok());
  EXPECT_TRUE(CheckContent("line\nline\ttab").ok());
  EXPECT_TRUE(CheckContent(std::string(kMaxContentBytes, 'x')).ok());
}

TEST(CheckContent, RefusesWhatIsTooLongAsBytesOrAsJson) {
  const auto message = [](const std::string& content) {
    return std::string(CheckContent(content).message());
  };
  EXPECT_THAT(message(std::string(kMaxContentBytes + 1, 'x')), HasSubstr("content has 32769 bytes"));
  EXPECT_THAT(message("\xff"), HasSubstr("content is not valid UTF-8"));
  // All that is not full of control characters is within both.
  for (const std::string_view one : {"\"", "\\", "\n", "\xe4\xb8\xad", "\xf0\x9f\x98\x82"}) {
    std::string content;
    while (content.size() + one.size() <= kMaxContentBytes) content += one;
    EXPECT_TRUE(CheckContent(content).ok()) << one;
  }
  // Six bytes each as JSON.
  EXPECT_TRUE(CheckContent(std::string(kMaxJsonContentBytes / 6, '\x01')).ok());
  EXPECT_THAT(message(std::string(kMaxJsonContentBytes / 6 + 1, '\x01')), HasSubstr("when written as JSON"));
}

}  // namespace
}  // namespace hubbub
