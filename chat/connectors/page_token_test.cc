#include "chat/connectors/page_token.h"

#include <cctype>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kServer[] = "chat-1";

TEST(PageToken, NamesTheRoomThatItGoesOnAfter) {
  for (const std::string& room : {std::string("lobby"), std::string("ö 🙂"), std::string(64, 'x')})
    EXPECT_EQ(*RoomOfPageToken(kServer, PageTokenAfter(kServer, room)), room);
}

TEST(PageToken, NoneIsTheBeginning) {
  EXPECT_EQ(*RoomOfPageToken(kServer, ""), "");
}

TEST(PageToken, WhateverNoListHasGivenIsRecognised) {
  const std::string good = PageTokenAfter(kServer, "lobby");
  std::vector<std::string> bad = {
      "lobby",
      "x",
      "0",
      good + " ",
      " " + good,
      good + "00",
      good.substr(2),
      good.substr(0, 16),
      good + good,
      std::string(16, '0'),
      std::string(200, '0'),
      std::string("\0\0", 2),
      PageTokenAfter("chat-2", "lobby"),
  };
  // Each character changed, each taken out, and capital digits.
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'0', 'f', 'G', '-'}) {
      bad.push_back(good);
      if (bad.back()[i] == c)
        bad.pop_back();
      else
        bad.back()[i] = c;
    }
    bad.push_back(std::string(good).erase(i, 1));
  }
  std::string capitals = good;
  for (char& c : capitals) c = static_cast<char>(std::toupper(c));
  bad.push_back(capitals);
  for (const std::string& token : bad) {
    const auto room = RoomOfPageToken(kServer, token);
    ASSERT_TRUE(absl::IsInvalidArgument(room.status())) << token;
    EXPECT_THAT(std::string(room.status().message()), StartsWith("page_token "));
    EXPECT_THAT(std::string(room.status().message()), HasSubstr("next_page_token of the page before"));
  }
}

}  // namespace
}  // namespace hubbub::chat
