#include "services/socketio/recovery.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::socketio {
namespace {

using ::testing::ElementsAre;

std::string OffsetOf(const std::vector<RoomPosition>& positions) {
  std::string offset;
  for (const RoomPosition& position : positions) {
    if (!offset.empty()) offset += '\n';
    AppendPosition(position.room, position.epoch, position.offset, offset);
  }
  return offset;
}

TEST(RecoveryTest, APidIsAnIdAndAToken) {
  const std::string pid = NewPid();
  const auto parts = PartsOf(pid);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->id.size(), 16U);
  EXPECT_EQ(parts->token.size(), 32U);
  const std::string next = NewPid(parts->token);
  EXPECT_EQ(PartsOf(next)->token, parts->token);
  EXPECT_NE(PartsOf(next)->id, parts->id);
  EXPECT_NE(PartsOf(NewPid())->token, parts->token);
}

TEST(RecoveryTest, WhatIsNoPidHasNoParts) {
  for (const std::string& text :
       {std::string(), std::string("abc"), std::string(47, 'a'), std::string(49, 'a'), std::string(48, 'A'),
        std::string(47, 'a') + "g", std::string(5000, 'a')})
    EXPECT_FALSE(PartsOf(text)) << text;
}

TEST(RecoveryTest, AnOffsetTellsThePositionsOfAllRooms) {
  const RoomPosition lobby{.room = "the lobby 7", .epoch = 9'007'199'254'740'991, .offset = 3};
  const RoomPosition other{.room = "大廳", .epoch = 1, .offset = 0};
  EXPECT_EQ(OffsetOf({lobby}), "9007199254740991 3 the lobby 7");
  EXPECT_THAT(*DecodePositions(OffsetOf({lobby})), ElementsAre(lobby));
  EXPECT_THAT(*DecodePositions(OffsetOf({lobby, other})), ElementsAre(lobby, other));
}

TEST(RecoveryTest, WhatIsNoOffsetHasNoPositions) {
  std::vector<RoomPosition> many;
  for (size_t i = 0; i <= kMostPositions; ++i) many.push_back({.room = "r" + std::to_string(i)});
  const std::string too_many = OffsetOf(many);
  many.pop_back();
  EXPECT_EQ(DecodePositions(OffsetOf(many))->size(), kMostPositions);
  for (const std::string& text :
       {std::string(), std::string(kNoPositions), std::string("hello"), std::string("1 2"),
        std::string("1 2 "), std::string(" 1 r"), std::string("1  r"), std::string("-1 2 r"),
        std::string("1 +2 r"), std::string("1 12345678901234567 r"), std::string("1 2 r\n"),
        std::string("\n1 2 r"), std::string("1 2 r\n3 4 r"), "1 2 " + std::string(5000, 'r'), too_many})
    EXPECT_FALSE(DecodePositions(text)) << text;
}

}  // namespace
}  // namespace hubbub::socketio
