#include "services/client/socketio_positions.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/net/frame.h"
#include "services/net/read_frames.h"

namespace hubbub::client {
namespace {

net::Payload Frames(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts)
    net::AppendFrame(net::Framing::kText, out, [&](std::string& to) { to += text; });
  return std::make_shared<const std::string>(std::move(out));
}

std::vector<std::string> TextsOf(const net::Payload& frames) {
  std::vector<std::string> texts;
  net::ForEachFrame(*frames, [&](std::string_view text) { texts.emplace_back(text); });
  return texts;
}

std::string OffsetOf(const SocketIoPositions& positions) {
  std::string json;
  positions.AppendJson(json);
  return json;
}

using Texts = std::vector<std::string>;

TEST(SocketIoPositionsTest, InOneRoomTheBytesStayShared) {
  SocketIoPositions positions;
  positions.Set({{.room = "lobby", .epoch = 7, .offset = 1}});
  EXPECT_EQ(OffsetOf(positions), R"("7 1 lobby")");
  const net::Payload frames = Frames({R"(42["onChat",{"msg":"x"},"7 2 lobby"])"});
  EXPECT_EQ(positions.Of(frames), frames);
}

TEST(SocketIoPositionsTest, InSeveralRoomsEachEventTellsAllPositions) {
  SocketIoPositions positions;
  positions.Set({{.room = "a \"b\"", .epoch = 7, .offset = 1}, {.room = "c,\"d", .epoch = 8, .offset = 5}});
  EXPECT_EQ(OffsetOf(positions), R"("7 1 a \"b\"\n8 5 c,\"d")");
  EXPECT_EQ(TextsOf(positions.Of(Frames(
                {R"(42["onChat",{"msg":"x"},"8 6 c,\"d"])", R"(42["onChat",{"msg":"\"]"},"7 2 a \"b\""])"}))),
            (Texts{R"(42["onChat",{"msg":"x"},"7 1 a \"b\"\n8 6 c,\"d"])",
                   R"(42["onChat",{"msg":"\"]"},"7 2 a \"b\"\n8 6 c,\"d"])"}));
  EXPECT_EQ(OffsetOf(positions), R"("7 2 a \"b\"\n8 6 c,\"d")");
  // In a new epoch.
  EXPECT_EQ(TextsOf(positions.Of(Frames({R"(42["onAdd",{},"9 1 a \"b\""])"}))),
            (Texts{R"(42["onAdd",{},"9 1 a \"b\"\n8 6 c,\"d"])"}));
}

TEST(SocketIoPositionsTest, WhatHasNoPositionStaysAsItIs) {
  SocketIoPositions positions;
  positions.Set({{.room = "a", .epoch = 7, .offset = 1}, {.room = "b", .epoch = 8, .offset = 5}});
  const Texts texts = {R"(42["onNotice",{"text":"8 9 b"}])", R"(42["onAdd",{"user":"x"}])"};
  EXPECT_EQ(TextsOf(positions.Of(Frames(texts))), texts);
  EXPECT_EQ(TextsOf(positions.Of(Frames({R"(42["onChat",{},"1 1 other"])"}))),
            (Texts{R"(42["onChat",{},"7 1 a\n8 5 b"])"}));
}

TEST(SocketIoPositionsTest, AClientThatCannotBeBroughtBackIsToldNoPosition) {
  std::vector<socketio::RoomPosition> rooms;
  for (size_t i = 0; i <= socketio::kMostPositions; ++i)
    rooms.push_back({.room = "r" + std::to_string(i), .epoch = 1, .offset = 1});
  SocketIoPositions many;
  many.Set(rooms);
  SocketIoPositions unknown;
  unknown.Set({rooms[0]});
  unknown.SetUnknown();
  for (SocketIoPositions* positions : {&many, &unknown}) {
    EXPECT_EQ(OffsetOf(*positions), R"("-")");
    EXPECT_EQ(TextsOf(positions->Of(Frames({R"(42["onChat",{},"1 2 r0"])"}))),
              (Texts{R"(42["onChat",{},"-"])"}));
  }
}

TEST(SocketIoPositionsTest, LongFramesStayWhole) {
  SocketIoPositions positions;
  positions.Set({{.room = "a", .epoch = 7, .offset = 1}, {.room = "b", .epoch = 8, .offset = 5}});
  for (const size_t size : {size_t{80}, size_t{100}, size_t{130}, size_t{65'500}, size_t{70'000}}) {
    const std::string event = R"(42["onChat",{"msg":")" + std::string(size, 'x') + R"("})";
    EXPECT_EQ(TextsOf(positions.Of(Frames({event + R"(,"7 2 a"])"}))),
              (Texts{event + R"(,"7 2 a\n8 5 b"])"}));
  }
}

}  // namespace
}  // namespace hubbub::client
