#include "services/client/socketio_protocol.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/push_body.h"
#include "services/pomelo/body.h"
#include "services/socketio/pomelo_text.h"

namespace hubbub::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using Version = SocketIoProtocol::Version;

// The texts of frames as a server writes them.
std::vector<std::string> TextsOf(std::string_view frames) {
  std::vector<std::string> texts;
  while (frames.size() >= 2) {
    EXPECT_EQ(static_cast<unsigned char>(frames[0]), 0x81);
    const auto byte = [&frames](size_t i) { return static_cast<unsigned char>(frames[i]); };
    const size_t wide = byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
    size_t size = wide == 0 ? byte(1) : 0;
    for (size_t i = 0; i < wide; ++i) size = size << 8 | byte(2 + i);
    texts.emplace_back(frames.substr(2 + wide, size));
    frames.remove_prefix(2 + wide + size);
  }
  EXPECT_TRUE(frames.empty());
  return texts;
}

class SocketIoProtocolTest : public ::testing::Test {
 protected:
  PushEncodings encodings_;
  const SocketIoPushes pushes_{encodings_};
};

// One session: what the client says becomes lines, and what it is told is kept.
class Session {
 public:
  Session(const SocketIoPushes& pushes, Version version, bool recovers = false)
      : protocol_(pushes, version, 1000, recovers) {}

  SocketIoProtocol& protocol() { return protocol_; }
  std::vector<std::string> said;  // To the client, since the last Hear.

  std::vector<std::string> Hear(std::string_view packet) {
    std::vector<std::string> lines;
    said.clear();
    for (size_t taken_bytes = 0; taken_bytes < packet.size();) {
      std::string out;
      const Taken taken = protocol_.Take(packet, /*frame_end=*/true, out);
      taken_bytes += taken.bytes;
      for (std::string& text : TextsOf(out)) said.push_back(std::move(text));
      lines.push_back(std::visit([this](const auto& value) { return this->Line(value); }, taken.value));
      if (std::holds_alternative<Fault>(taken.value)) break;
    }
    return lines;
  }

  std::string Answer(std::string_view id, const boost::json::object& body) {
    std::string out;
    protocol_.AppendAnswer(id, body, out);
    return TextsOf(out).at(0);
  }
  std::string Push(std::string_view route, const boost::json::object& body) {
    std::string out;
    protocol_.push_encoding().AppendPush(route, ObjectBody(body), out);
    return TextsOf(out).at(0);
  }
  std::vector<std::string> Kick(std::string_view reason, net::CloseReason why) {
    std::string out;
    protocol_.AppendKick(reason, why, out);
    return TextsOf(out);
  }

 private:
  static std::string Line(const Incomplete&) { return "incomplete"; }
  static std::string Line(const Alive&) { return "alive"; }
  std::string Line(const TokenShown& shown) {
    protocol_.OnToken(shown.token.starts_with("good") ? absl::OkStatus()
                                                      : absl::UnauthenticatedError("this is no token"));
    return "shown " + shown.token;
  }
  static std::string Line(const Hello& hello) { return "hello " + hello.type + " " + hello.version; }
  static std::string Line(const Ready&) { return "ready"; }
  static std::string Line(const Left&) { return "left"; }
  static std::string Line(const Fault& fault) { return "fault " + fault.why; }
  std::string Line(const Request& request) {
    const std::string id = request.id ? " " + *request.id : "";
    if (!request.route.ok()) return "bad" + id + " " + std::string(request.route.status().message());
    const auto body = protocol_.ReadBody(request);
    return "request" + id + " " + std::string(*request.route) + " " +
           (body.ok() ? pomelo::JsonBody(*body) : "bad body: " + std::string(body.status().message()));
  }

  SocketIoProtocol protocol_;
};

TEST_F(SocketIoProtocolTest, ConnectsByProtocol5) {
  Session session(pushes_, Version::k5);
  EXPECT_THAT(session.Hear("0"), ElementsAre("alive"));
  EXPECT_THAT(session.said, ElementsAre(MatchesRegex(R"re(40\{"sid":"[0-9a-f]+"\})re")));
  EXPECT_THAT(session.Hear("0/chat,"), ElementsAre("alive"));
  EXPECT_THAT(session.said, ElementsAre(MatchesRegex(R"re(40/chat,\{"sid":"[0-9a-f]+"\})re")));
  session.Hear("0/other");
  EXPECT_THAT(session.said, ElementsAre(R"(44/other,{"message":"Invalid namespace"})"));
}

TEST_F(SocketIoProtocolTest, ATokenIsJudgedBeforeItsClientIsConnected) {
  Session session(pushes_, Version::k5);
  EXPECT_THAT(session.Hear(R"(0{"token":"junk","username":"ada"})"), ElementsAre("shown junk", "alive"));
  EXPECT_THAT(session.said,
              ElementsAre(::testing::StartsWith(R"(44{"message":"this is no token","data":{"code":401,)")));
  session.Hear(R"(0/chat,{"token":"junk"})");
  EXPECT_THAT(
      session.said,
      ElementsAre(::testing::StartsWith(R"(44/chat,{"message":"this is no token","data":{"code":401,)")));
  EXPECT_THAT(session.Hear(R"(0{"token":"good one","username":"bob"})"),
              ElementsAre("shown good one", "alive"));
  EXPECT_THAT(session.said, ElementsAre(MatchesRegex(R"re(40\{"sid":"[0-9a-f]+"\})re")));
  EXPECT_THAT(session.Hear(R"(0/chat,{"token":"good one"})"), ElementsAre("alive")) << "it is known";
  EXPECT_THAT(session.Hear(R"(20["leave",{"rid":"r"}])"),
              ElementsAre("hello socket.io 5", "ready", ::testing::StartsWith("request 0 ")));
}

TEST_F(SocketIoProtocolTest, OfTokensThatAreNotTakenAFewAreJudged) {
  Session session(pushes_, Version::k5);
  std::vector<std::string> lines = {"alive"};
  int shown = 0;
  while (lines.back() == "alive" && shown < 100) {
    lines = session.Hear(fmt::format(R"(0{{"token":"junk {}"}})", ++shown));
    EXPECT_THAT(session.said.front(), ::testing::StartsWith("44{"));
  }
  EXPECT_EQ(shown, 5);
  EXPECT_THAT(lines.back(), ::testing::StartsWith("fault none of the sign-in tokens"));
}

TEST_F(SocketIoProtocolTest, NullInTheAuthIsNothing) {
  Session session(pushes_, Version::k5);
  EXPECT_THAT(session.Hear(R"(0{"token":null,"username":null,"recover":null})"), ElementsAre("alive"));
  EXPECT_THAT(session.said, ElementsAre(MatchesRegex(R"re(40\{"sid":"[0-9a-f]+"\})re")));
  EXPECT_THAT(session.Hear(R"(0/chat,{"token":""})"), ElementsAre("alive"));
}

TEST_F(SocketIoProtocolTest, ConnectsByProtocol4) {
  Session session(pushes_, Version::k4);
  session.Hear("0");
  EXPECT_THAT(session.said, ElementsAre("40"));
  session.Hear("0/chat?token=1");
  EXPECT_THAT(session.said, ElementsAre("40/chat,"));
  session.Hear("0/other");
  EXPECT_THAT(session.said, ElementsAre(R"(44/other,"Invalid namespace")"));
}

TEST_F(SocketIoProtocolTest, TakesTheFirstEventForTheHello) {
  Session session(pushes_, Version::k5);
  session.Hear("0");
  EXPECT_THAT(session.Hear(R"(27["enter",{"username":"ada","rid":"r"}])"),
              ElementsAre("hello socket.io 5", "ready",
                          R"(request 7 connector.entryHandler.enter {"username":"ada","rid":"r"})"));
  EXPECT_THAT(session.Hear(R"(2["leave",{"rid":"r"}])"),
              ElementsAre(R"(request connector.entryHandler.leave {"rid":"r"})"));
  EXPECT_THAT(session.Hear(R"(28["chat.chatHandler.send"])"),
              ElementsAre("request 8 chat.chatHandler.send {}"));
  EXPECT_THAT(session.Hear(R"(29["any"])"), ElementsAre("request 9 any {}"));
}

TEST_F(SocketIoProtocolTest, SpeaksInTheNamespaceOfTheFirstEvent) {
  const boost::json::object body{{"msg", "😂"}};
  {
    Session session(pushes_, Version::k5);
    session.Hear("0");
    session.Hear("0/chat");
    session.Hear(R"(2["x"])");
    EXPECT_EQ(session.Answer("12", body), R"(4312[{"msg":"\ud83d\ude02"}])");
    EXPECT_EQ(session.Push("onChat", body), R"(42["onChat",{"msg":"\ud83d\ude02"}])");
    EXPECT_THAT(session.Hear(R"(2/chat,3["x"])"),
                ElementsAre(HasSubstr("bad this connection speaks in namespace /")));
  }
  Session session(pushes_, Version::k5);
  session.Hear("0/chat");
  session.Hear(R"(2/chat,["x"])");
  EXPECT_EQ(session.Answer("12", body), R"(43/chat,12[{"msg":"\ud83d\ude02"}])");
  EXPECT_EQ(session.Push("onChat", body), R"(42/chat,["onChat",{"msg":"\ud83d\ude02"}])");
  EXPECT_THAT(session.Kick("why", net::CloseReason::kKicked),
              ElementsAre(R"(42/chat,["onKick",{"reason":"why"}])", "41/chat,"));
}

TEST_F(SocketIoProtocolTest, OnlyAKickKeepsAClientAway) {
  Session session(pushes_, Version::k5);
  EXPECT_THAT(session.Kick("reconnect", net::CloseReason::kShutdown), IsEmpty()) << "nothing is connected";
  session.Hear("0");
  EXPECT_THAT(session.Kick("reconnect", net::CloseReason::kShutdown),
              ElementsAre(R"(42["onKick",{"reason":"reconnect"}])"));
  EXPECT_THAT(session.Kick("replaced", net::CloseReason::kKicked),
              ElementsAre(R"(42["onKick",{"reason":"replaced"}])", "41"));
}

TEST_F(SocketIoProtocolTest, SpeaksPomelosWayToPomelosClient) {
  Session session(pushes_, Version::k4);
  session.Hear("0");
  const auto say = [&](uint32_t id, std::string_view route, std::string_view body) {
    const std::string text = socketio::EncodePomeloText({.id = id, .route = route, .body = body});
    return session.Hear("2[\"message\"," + boost::json::serialize(boost::json::string(text)) + "]");
  };
  EXPECT_THAT(
      say(2, "connector.entryHandler.enter", R"({"username":"ada","rid":"r","timestamp":1})"),
      ElementsAre("hello socket.io 4", "ready",
                  R"(request 2 connector.entryHandler.enter {"username":"ada","rid":"r","timestamp":1})"));
  EXPECT_THAT(say(0x80ff, "a.b.c", "{}"), ElementsAre("request 33023 a.b.c {}"));
  EXPECT_THAT(say(0, "a.b.c", "{}"), ElementsAre("request a.b.c {}"));
  EXPECT_EQ(session.Answer("2", {{"code", 200}}), R"(42["message","{\"id\":2,\"body\":{\"code\":200}}"])");
  EXPECT_EQ(session.Push("onChat", {{"msg", "\"😂\""}}),
            R"(42["message","{\"route\":\"onChat\",\"body\":{\"msg\":\"\\\"\\ud83d\\ude02\\\"\"}}"])");
  EXPECT_THAT(session.Kick("why", net::CloseReason::kKicked),
              ElementsAre(R"(42["message","{\"route\":\"onKick\",\"reason\":\"why\"}"])", "41"));
  EXPECT_THAT(session.Hear(R"(25["enter",{}])"), ElementsAre("bad this is no message of Pomelo"));
}

TEST_F(SocketIoProtocolTest, TakesOtherTextsForEvents) {
  for (const std::string_view text : {"hello", "\\u0000\\u0000\\u0000\\u0001\\u0003abc", ""}) {
    Session session(pushes_, Version::k5);
    session.Hear("0");
    EXPECT_EQ(session.Hear("21[\"message\",\"" + std::string(text) + "\"]").back().substr(0, 17),
              "request 1 message");
  }
}

TEST_F(SocketIoProtocolTest, KnowsTheNameThatAClientHasShown) {
  Session session(pushes_, Version::k5);
  session.Hear(R"(0{"username":"","token":"abc"})");
  EXPECT_THAT(session.said,
              ElementsAre(MatchesRegex(R"re(44\{"message":".*username.*","data":\{"code":400,.*)re")));
  session.Hear(R"(0{"username":17})");
  EXPECT_THAT(session.said, ElementsAre(HasSubstr("sid")));
  session.Hear(R"(0/chat,{"username":"eve"})");
  EXPECT_THAT(session.said, ElementsAre(HasSubstr("belongs to '17'")));
  EXPECT_THAT(session.Hear(R"(21["enter",{"rid":"r"}])").back(),
              R"(request 1 connector.entryHandler.enter {"rid":"r","username":"17"})");
  EXPECT_THAT(session.Hear(R"(22["enter",{"rid":"r","username":17}])").back(), HasSubstr("request 2"));
  EXPECT_THAT(session.Hear(R"(23["enter",{"rid":"r","username":"eve"}])").back(),
              HasSubstr("belongs to '17'"));
}

TEST_F(SocketIoProtocolTest, RefusesWhatIsNoObject) {
  Session session(pushes_, Version::k5);
  session.Hear("0");
  EXPECT_THAT(session.Hear(R"(21["x","text"])").back(), HasSubstr("bad body"));
  EXPECT_THAT(session.Hear(R"(21["x",{"a":}])").back(), HasSubstr("bad body"));
  EXPECT_THAT(session.Hear(R"(21["x",{},{}])").back(), HasSubstr("bad 1 an event takes one object"));
  EXPECT_THAT(session.Hear(R"(51-1["x",{"_placeholder":true,"num":0}])").back(),
              HasSubstr("bad 1 binary data"));
  EXPECT_THAT(session.Hear("b\1\2"), ElementsAre("alive"));
  EXPECT_THAT(session.Hear("b\1\2"), ElementsAre(HasSubstr("fault a binary message")));
}

TEST_F(SocketIoProtocolTest, TellsWhenAClientLeaves) {
  Session early(pushes_, Version::k5);
  early.Hear("0");
  early.Hear("0/chat");
  EXPECT_THAT(early.Hear("1"), ElementsAre("alive"));
  EXPECT_THAT(early.Hear("1/chat"), ElementsAre("left"));

  Session session(pushes_, Version::k5);
  session.Hear("0");
  session.Hear("0/chat");
  session.Hear(R"(2/chat,["x"])");
  EXPECT_THAT(session.Hear("1"), ElementsAre("alive"));
  EXPECT_THAT(session.Hear("1/chat"), ElementsAre("left"));
}

TEST_F(SocketIoProtocolTest, EndsSessionsThatBreakIt) {
  for (const std::string_view packet : {"abc", "2[\"x\"]x", "2{}", "2/chat,[\"x\"]", "2/other,[\"x\"]",
                                        "1/chat", "4{}", "0[]", "0{", "b", "2[1]"}) {
    Session session(pushes_, Version::k5);
    session.Hear("0");
    EXPECT_THAT(session.Hear(packet), ElementsAre(HasSubstr("fault "))) << packet;
    EXPECT_THAT(session.said, ElementsAre(HasSubstr("onKick"))) << packet;
  }
  Session session(pushes_, Version::k5);
  EXPECT_THAT(session.Hear("2[\"x\"]"), ElementsAre(HasSubstr("not connected")));
  EXPECT_THAT(session.said, IsEmpty());
}

// A session of a server that recovers states.
class Recovering : public Session {
 public:
  explicit Recovering(const SocketIoPushes& pushes) : Session(pushes, Version::k5, /*recovers=*/true) {}

  std::string PushAt(const EventPosition& position) {
    class Body final : public PushBody {
     public:
      explicit Body(const EventPosition& position) : position_(position) {}
      void AppendJson(std::string& out) const override { out += "{}"; }
      const boost::json::object& object() const override { return object_; }
      std::optional<EventPosition> position() const override { return position_; }

     private:
      const EventPosition position_;
      const boost::json::object object_;
    };
    std::string out;
    protocol().push_encoding().AppendPush("onChat", Body(position), out);
    return TextsOf(*protocol().OwnPushes(std::make_shared<const std::string>(std::move(out)))).at(0);
  }
  std::string ShowRooms(const std::vector<RoomOfClient>& rooms) {
    std::string out;
    protocol().AppendRooms(rooms, out);
    return TextsOf(out).at(0);
  }
  // What the last CONNECT packet was answered.
  std::string Told(std::string_view field) {
    const std::string& text = said.at(0);
    return std::string(boost::json::parse(text.substr(text.find('{'))).at(field).as_string());
  }
};

constexpr std::string_view kToken = "0123456789abcdef0123456789abcdef";

std::string ComeBack(std::string_view offset,
                     std::string_view pid = "fedcba98765432100123456789abcdef0123456789abcdef") {
  return R"(0{"username":"ada","recover":true,"pid":")" + std::string(pid) + R"(","offset":")" +
         std::string(offset) + R"("})";
}

TEST_F(SocketIoProtocolTest, OnlyAClientThatAsksForRecoveryIsToldAPid) {
  Recovering session(pushes_);
  for (const std::string_view auth : {"", R"({"username":"ada"})", R"({"username":"ada","recover":false})"}) {
    session.Hear("0" + std::string(auth));
    EXPECT_THAT(session.said, ElementsAre(MatchesRegex(R"re(40\{"sid":"[0-9a-f]+"\})re")));
    session.Hear("1");
    session.Hear("0/chat");
    session.Hear("1/chat");
  }
  EXPECT_FALSE(session.protocol().WantsRooms());
  session.Hear("0/chat,{\"recover\":true,\"username\":\"ada\"}");
  EXPECT_EQ(session.Told("pid").substr(0, 16), session.Told("sid"));
  EXPECT_EQ(session.Told("pid").size(), 48U);

  Session gate(pushes_, Version::k5);
  gate.Hear(R"(0{"username":"ada","recover":true})");
  EXPECT_THAT(gate.said, ElementsAre(MatchesRegex(R"re(40\{"sid":"[0-9a-f]+"\})re")));
  Session old(pushes_, Version::k4, /*recovers=*/true);
  old.Hear(R"(0{"username":"ada","recover":true})");
  EXPECT_THAT(old.said, ElementsAre("40"));
}

TEST_F(SocketIoProtocolTest, RecoveryNeedsAName) {
  Recovering session(pushes_);
  session.Hear(R"(0{"recover":true})");
  EXPECT_THAT(session.said, ElementsAre(HasSubstr("recover needs a username")));
  session.Hear(R"(0{"username":"ada","recover":"yes"})");
  EXPECT_THAT(session.said, ElementsAre(HasSubstr("recover must be true or false")));
}

TEST_F(SocketIoProtocolTest, EventsTellTheirPositionsToAClientThatMayComeBack) {
  Recovering session(pushes_);
  session.Hear(R"(0{"username":"ada","recover":true})");
  const std::string token = session.Told("pid").substr(16);
  EXPECT_THAT(session.Hear(R"(21["enter",{"rid":"r"}])"),
              ElementsAre("hello socket.io 5", "ready",
                          R"(request 1 connector.entryHandler.enter {"rid":"r","resume":")" + token +
                              R"(","username":"ada"})"));
  EXPECT_TRUE(session.protocol().WantsRooms());
  EXPECT_EQ(session.ShowRooms({}), R"(42["onRooms",{"rooms":[]},"-"])");
  EXPECT_EQ(session.ShowRooms({{.name = "r", .token = token, .epoch = 7, .offset = 2}}),
            R"(42["onRooms",{"rooms":["r"]},"7 2 r"])");
  EXPECT_EQ(session.PushAt({.room = "r", .epoch = 7, .offset = 3}), R"(42["onChat",{},"7 3 r"])");
  EXPECT_EQ(session.ShowRooms({{.name = "r", .token = token, .epoch = 7, .offset = 3},
                               {.name = "s", .token = token, .epoch = 8, .offset = 0}}),
            R"(42["onRooms",{"rooms":["r","s"]},"7 3 r\n8 0 s"])");
  EXPECT_EQ(session.PushAt({.room = "s", .epoch = 8, .offset = 1}), R"(42["onChat",{},"7 3 r\n8 1 s"])");
  session.protocol().HideRooms();
  EXPECT_EQ(session.PushAt({.room = "s", .epoch = 8, .offset = 2}), R"(42["onChat",{},"-"])");
  EXPECT_EQ(session.Push("onNotice", {{"a", 1}}), R"(42["onNotice",{"a":1}])");
  // The place belongs to another token.
  EXPECT_EQ(session.ShowRooms({{.name = "r", .token = std::string(kToken), .epoch = 7, .offset = 3}}),
            R"(42["onRooms",{"rooms":["r"]},"-"])");
  EXPECT_EQ(session.PushAt({.room = "r", .epoch = 7, .offset = 4}), R"(42["onChat",{},"-"])");
}

TEST_F(SocketIoProtocolTest, AClientThatComesBackAsksForItsState) {
  const std::string request =
      R"(request connect connector.entryHandler.recover {"username":"ada","resume":")" + std::string(kToken) +
      R"(","rooms":[{"rid":"r","epoch":7,"offset":3},{"rid":"s t","epoch":8,"offset":0}]})";
  {
    Recovering session(pushes_);
    EXPECT_THAT(session.Hear(ComeBack(R"(7 3 r\n8 0 s t)")),
                ElementsAre("hello socket.io 5", "ready", request));
    EXPECT_THAT(session.said, IsEmpty());
    EXPECT_EQ(session.Answer("connect", {{"code", 200}}),
              R"(40{"sid":"fedcba9876543210","pid":"fedcba98765432100123456789abcdef0123456789abcdef"})");
    EXPECT_THAT(session.Hear(R"(21["send",{}])"), ElementsAre("request 1 chat.chatHandler.send {}"));
  }
  Recovering session(pushes_);
  session.Hear(ComeBack(R"(7 3 r\n8 0 s t)"));
  std::string out;
  session.protocol().AppendError("connect", 500, "why", out);
  session.said = TextsOf(out);
  EXPECT_EQ(session.Told("pid").substr(16), kToken) << "the token stays the client's own";
  EXPECT_NE(session.Told("sid"), "fedcba9876543210");
  EXPECT_THAT(session.Hear(R"(21["enter",{"rid":"r"}])"),
              ElementsAre(R"(request 1 connector.entryHandler.enter {"rid":"r","resume":")" +
                          std::string(kToken) + R"(","username":"ada"})"));
}

TEST_F(SocketIoProtocolTest, WhatIsNoStateIsNotRecovered) {
  for (const std::string& packet :
       {ComeBack("-"), ComeBack(""), ComeBack("hello"), ComeBack("7 3 r", "abc"),
        ComeBack(std::string(9000, 'x')),
        std::string(R"(0{"username":"ada","recover":true,"pid":7,"offset":{}})")}) {
    Recovering session(pushes_);
    EXPECT_THAT(session.Hear(packet), ElementsAre("alive")) << packet;
    EXPECT_NE(session.Told("sid"), "fedcba9876543210");
  }
  // The session has been speaking already.
  Recovering session(pushes_);
  session.Hear("0/chat");
  session.Hear("2/chat,[\"x\"]");
  EXPECT_THAT(session.Hear(ComeBack("7 3 r")), ElementsAre("alive"));
}

TEST_F(SocketIoProtocolTest, AClientThatMayNotComeBackIsToldWhy) {
  Recovering session(pushes_);
  session.Hear(ComeBack("7 3 r"));
  EXPECT_THAT(session.Kick("the token has ended", net::CloseReason::kKicked),
              ElementsAre(HasSubstr(R"(44{"message":"the token has ended","data":{"code":401)")));
}

}  // namespace
}  // namespace hubbub::client
