#include "services/client/pitaya_protocol.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"
#include "services/pomelo/deflate.h"
#include "services/pomelo/testing/vectors.h"

// In a namespace of its own, because some of from_client's names are classes' names in hubbub::client.
namespace hubbub::client {
namespace pitaya_protocol_test {
namespace {

namespace json = boost::json;
using from_client::Ack;
using from_client::Heartbeat;
using from_client::Notify;
using from_client::Package;
using from_client::PitayaHandshake;
using from_client::Request;
using pomelo::PackageType;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kOk = R"(handshake {"code":200,"sys":{"dict":{"chat.chatHandler.send":1,)";
constexpr std::string_view kPlain = "test.testHandler.plain";

// Sessions whose clients speak Pitaya's dialect, on a server whose heartbeat is 3 s.
class PitayaProtocolTest : public ::testing::Test {
 protected:
  template <typename Test>
  void Run(Test test) {
    OnLoop(loops_.at(0), [&] { test(); });
  }
  net::Loop& loop() { return loops_.at(0); }

  static constexpr size_t kMaxBodyBytes = 10'000;
  const ClientContract contract_{/*use_dict=*/true, /*use_protobuf=*/true, seconds(3)};
  PushEncodings encodings_;
  const PomeloPushes pushes_{contract_, encodings_};
  const PitayaTerms pitaya_{contract_, encodings_, seconds(3), kMaxBodyBytes};
  const PomeloOptions pomelo_{
      .contract = &contract_, .pushes = &pushes_, .heartbeat = seconds(3), .pitaya = &pitaya_};
  SessionOptions options_;
  net::Loops loops_{1};
};

TEST_F(PitayaProtocolTest, FollowsPitayasStateMachine) {
  const std::string request = Request(7, kPlain);
  const std::string asked = "request test.testHandler.plain {}";
  const std::string answered = "response 7 {\"done\":true}";
  const struct {
    const char* what;
    std::vector<std::string> packages;
    std::vector<std::string> log;  // Each line up to where it says no more.
  } cases[] = {
      {"handshake", {PitayaHandshake()}, {kOk}},
      {"a second handshake is answered again", {PitayaHandshake(), PitayaHandshake()}, {kOk, kOk}},
      {"nothing comes at the ack", {PitayaHandshake(), Ack(), Ack()}, {kOk}},
      {"an ack before the handshake is ignored",
       {Ack(), PitayaHandshake(), Ack(), request},
       {kOk, asked, answered}},
      {"heartbeats are not echoed", {PitayaHandshake(), Heartbeat(), Ack(), Heartbeat()}, {kOk}},
      {"a kick is ignored",
       {PitayaHandshake(), Package(PackageType::kKick), Ack(), request},
       {kOk, asked, answered}},
      {"a notify is not answered", {PitayaHandshake(), Ack(), Notify(kPlain)}, {kOk, asked}},
      {"data before the ack ends it", {PitayaHandshake(), request}, {kOk, "kick ", "close protocol_error"}},
      {"data before the ack of a second handshake ends it",
       {PitayaHandshake(), Ack(), request, PitayaHandshake(), request},
       {kOk, asked, answered, kOk, "kick ", "close protocol_error"}},
      {"a second handshake and its ack",
       {PitayaHandshake(), Ack(), PitayaHandshake(), Ack(), request},
       {kOk, kOk, asked, answered}},
      {"a type that does not exist ends it",
       {PitayaHandshake(), std::string("\x06\0\0\0", 4)},
       {kOk, "kick ", "close protocol_error"}},
      {"a response from a client ends it",
       {PitayaHandshake(), Ack(), Package(PackageType::kData, "\x04\x01{}")},
       {kOk, "kick ", "close protocol_error"}},
  };
  Run([&] {
    for (const auto& c : cases) {
      for (const bool framed : {true, false}) {
        SCOPED_TRACE(::testing::Message() << c.what << (framed ? ", in frames" : ", byte by byte"));
        FakeSession session(loop(), pomelo_, /*id=*/1, framed);
        for (const std::string& package : c.packages) {
          if (framed) {
            session.connection.Feed(package, /*frame_end=*/true);
          } else {
            for (const char byte : package) session.connection.Feed(std::string(1, byte));
          }
        }
        const auto& log = session.connection.log;
        ASSERT_EQ(log.size(), c.log.size()) << ::testing::PrintToString(log);
        for (size_t i = 0; i < log.size(); ++i) {
          if (c.log[i] == "kick ") {
            EXPECT_EQ(log[i], "kick ") << "without a body";
          } else {
            EXPECT_THAT(log[i], StartsWith(c.log[i]));
          }
        }
        EXPECT_EQ(session.connection.left(), 0u);
      }
    }
  });
}

TEST_F(PitayaProtocolTest, WithoutItsTermsTheClientIsPomelos) {
  PomeloOptions pomelo = pomelo_;
  pomelo.pitaya = nullptr;
  Run([&] {
    FakeSession session(loop(), pomelo);
    session.connection.Feed(PitayaHandshake() + Ack());
    EXPECT_THAT(session.connection.log, ElementsAre(HasSubstr("\"useDict\":true"), "heartbeat"));
  });
}

TEST_F(PitayaProtocolTest, AClientThatIsNotServedIsRefusedInItsOwnWay) {
  options_.check_client = [](std::string_view, std::string_view) { return false; };
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.connection.Feed(PitayaHandshake());
    EXPECT_THAT(session.connection.log,
                ElementsAre(StartsWith(R"(handshake {"code":400,"sys":{)"), "close protocol_error"));
  });
}

TEST_F(PitayaProtocolTest, AFrameHoldsOnePackage) {
  Run([&] {
    FakeSession two(loop(), pomelo_, /*id=*/1, /*framed=*/true);
    two.connection.Feed(PitayaHandshake(), /*frame_end=*/true);
    two.connection.Feed(Ack() + Heartbeat(), /*frame_end=*/true);
    EXPECT_THAT(two.connection.log, ElementsAre(StartsWith(kOk), "kick ", "close protocol_error"));
    EXPECT_EQ(two.connection.close_detail, "a frame holds more than one package");

    for (const std::string& frame : {std::string(), Ack().substr(0, 3)}) {
      FakeSession part(loop(), pomelo_, /*id=*/1, /*framed=*/true);
      part.connection.Feed(PitayaHandshake(), /*frame_end=*/true);
      part.connection.Feed(frame, /*frame_end=*/true);
      EXPECT_THAT(part.connection.log, ElementsAre(StartsWith(kOk), "kick ", "close protocol_error"));
    }
  });
}

TEST_F(PitayaProtocolTest, HeartbeatsComeUnaskedFromTheHelloOn) {
  Run([&] {
    const auto start = net::Clock::now();
    FakeSession session(loop(), pomelo_);
    session.connection.Feed(PitayaHandshake());
    session.connection.log.clear();
    session->OnTick(start + seconds(2));
    EXPECT_THAT(session.connection.log, IsEmpty());
    session->OnTick(start + seconds(4));
    session->OnTick(start + seconds(5));
    EXPECT_THAT(session.connection.log, ElementsAre("heartbeat")) << "one each interval";
    session->OnTick(start + seconds(8));
    EXPECT_THAT(session.connection.log, ElementsAre("heartbeat", "heartbeat", "close timeout"))
        << "two intervals of silence";
  });
}

TEST_F(PitayaProtocolTest, ASlowRequestDoesNotHoldUpHeartbeats) {
  Run([&] {
    const auto start = net::Clock::now();
    FakeSession session(loop(), pomelo_);
    session.script.answer = FakeHandler::Answer::kLater;
    session.connection.Feed(PitayaHandshake() + Ack() + Request(1, kPlain));
    session.connection.log.clear();
    session->OnTick(start + seconds(4));
    session->OnTick(start + seconds(8));
    EXPECT_THAT(session.connection.log, ElementsAre("heartbeat", "heartbeat"));
    session.script.replies.clear();
  });
}

TEST_F(PitayaProtocolTest, RoutesHaveTwoPartsOrThree) {
  const auto code = contract_.dictionary()->CodeOf(route::kEnter);
  const struct {
    pomelo::Route route;
    std::string line;
  } cases[] = {
      {std::string_view("chat.chatHandler.send"), "request chat.chatHandler.send {}"},
      {std::string_view("chatHandler.send"), "request chat.chatHandler.send {}"},
      {std::string_view("entryHandler.enter"), "request connector.entryHandler.enter {}"},
      {*code, "request connector.entryHandler.enter {}"},
      {std::string_view("no.such"), "request no.such {}"},
      {std::string_view("send"), R"(error 1 {"code":"PIT-400","msg":)"},
      {std::string_view("a.b.c.d"), R"(error 1 {"code":"PIT-400","msg":)"},
      {std::string_view("chat..send"), R"(error 1 {"code":"PIT-400","msg":)"},
      {uint16_t{99}, R"(error 1 {"code":"PIT-404","msg":"no route has the code 99"})"},
  };
  Run([&] {
    for (const auto& c : cases) {
      FakeSession session(loop(), pomelo_);
      session.connection.Feed(PitayaHandshake() + Ack());
      session.connection.log.clear();
      session.connection.Feed(Request(1, c.route));
      ASSERT_FALSE(session.connection.log.empty());
      EXPECT_THAT(session.connection.log.front(), StartsWith(c.line));
      EXPECT_FALSE(session.connection.closed);
    }
  });
}

std::string CompressedRequest(std::string_view body) {
  std::string message;
  pomelo::AppendRequest(1, kPlain, body, message);
  message[0] |= 0x10;
  return Package(PackageType::kData, message);
}

TEST_F(PitayaProtocolTest, BodiesMayBeCompressedAndAreBoundedWhenInflated) {
  const std::string text = R"({"content":")" + std::string(1'000, 'x') + "\"}";
  const std::string deflated = *pomelo::DeflateIfSmaller(text);
  const std::string bomb = *pomelo::DeflateIfSmaller(std::string(kMaxBodyBytes + 1, ' '));
  const struct {
    std::string body, line;
  } cases[] = {
      {deflated, "request test.testHandler.plain " + text},
      {text, R"(error 1 {"code":"PIT-400","msg":"the body of 'test.testHandler.plain': )"},
      {deflated.substr(0, 10), R"(error 1 {"code":"PIT-400",)"},
      {bomb, R"(error 1 {"code":"PIT-400",)"},
      {*pomelo::DeflateIfSmaller(std::string(1'000, '[')), R"(error 1 {"code":"PIT-400",)"},
  };
  Run([&] {
    for (const auto& c : cases) {
      FakeSession session(loop(), pomelo_);
      session.connection.Feed(PitayaHandshake() + Ack());
      session.connection.log.clear();
      session.connection.Feed(CompressedRequest(c.body));
      ASSERT_FALSE(session.connection.log.empty());
      EXPECT_THAT(session.connection.log.front(), StartsWith(c.line));
    }
    FakeSession session(loop(), pomelo_);
    session.connection.Feed(PitayaHandshake() + Ack() + Request(1, kPlain, ""));
    EXPECT_THAT(session.connection.log,
                ElementsAre(StartsWith(kOk), "request test.testHandler.plain {}", StartsWith("response 1 ")));
  });
}

TEST_F(PitayaProtocolTest, WhatABodyHoldsComesOutOfTheBudgetOfBytes) {
  SessionOptions options;
  options.max_bytes_per_second = 3'000;
  const std::string text = R"({"content":")" + std::string(5'000, 'x') + "\"}";
  const std::string deflated = *pomelo::DeflateIfSmaller(text);
  const struct {
    const char* what;
    std::string body, line;
  } cases[] = {
      {"whole", deflated, "request test.testHandler.plain {"},
      {"cut, and so inflated for nothing", deflated.substr(0, deflated.size() - 4),
       R"(error 1 {"code":"PIT-400")"},
      {"larger than any body may be", *pomelo::DeflateIfSmaller(std::string(kMaxBodyBytes + 1, ' ')),
       R"(error 1 {"code":"PIT-4)"},
  };
  Run([&] {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.what);
      FakeSession session(loop(), pomelo_, options);
      session.connection.Feed(PitayaHandshake() + Ack());
      session.connection.log.clear();
      session.connection.Feed(CompressedRequest(c.body));
      ASSERT_FALSE(session.connection.log.empty());
      EXPECT_THAT(session.connection.log.front(), StartsWith(c.line));
      session.connection.log.clear();
      session.connection.Feed(CompressedRequest(deflated));
      ASSERT_FALSE(session.connection.log.empty());
      EXPECT_THAT(session.connection.log.front(),
                  StartsWith(R"(error 1 {"code":"PIT-429","msg":"more than 3000)"));
      EXPECT_FALSE(session.connection.closed);
    }
  });
}

TEST_F(PitayaProtocolTest, SaysWhatItHasToSayInItsOwnWay) {
  const std::string text(1'000, 'x');
  Run([&] {
    for (const bool framed : {true, false}) {
      FakeSession session(loop(), pomelo_, /*id=*/1, framed);
      session.script.answer = FakeHandler::Answer::kLater;
      session.connection.Feed(PitayaHandshake(), framed);
      session.connection.Feed(Ack(), framed);
      session.connection.log.clear();
      session->Push("onChat", {{"msg", "short"}});
      session->Push("onChat", {{"msg", text}});
      session.connection.Feed(Request(300, kPlain), framed);
      session.script.replies.back().Ok({{"text", text}});
      session.connection.Feed(Request(2, kPlain), framed);
      session.script.replies.back().Fail(403, "no");
      session->Kick("enough");
      const std::string asked = "request test.testHandler.plain {}";
      EXPECT_THAT(
          session.connection.log,
          ElementsAre(R"(push onChat {"msg":"short"})", R"(push onChat deflated {"msg":")" + text + "\"}",
                      asked, R"(response 300 deflated {"text":")" + text + "\"}", asked,
                      R"(error 2 {"code":"PIT-403","msg":"no"})", "kick ", "close kicked"));
      EXPECT_EQ(session.connection.close_detail, "enough");
    }
  });
}

// Reads what Pitaya's client sends as Pitaya's server reads it, and answers with that server's bytes, where
// these are not compressed.
TEST_F(PitayaProtocolTest, SpeaksAsPitayaDoes) {
  constexpr std::string_view kNoJson = R"({"username":)";
  int requests = 0;
  int answers = 0;
  for (const json::value& session : pomelo::PitayaSessions()) {
    std::unique_ptr<ClientProtocol> protocol = std::make_unique<PomeloProtocol>(pomelo_, /*framed=*/false);
    for (const json::value& package : session.at("packages").as_array()) {
      SCOPED_TRACE(json::serialize(package));
      const std::string bytes = pomelo::FromHex(pomelo::StringMember(package, "bytes"));
      const auto* message = package.as_object().if_contains("message");
      const std::string_view text = message == nullptr ? "" : pomelo::StringMember(*message, "body");
      std::string out;
      if (pomelo::StringMember(package, "from") == "client") {
        Taken taken = protocol->Take(bytes, /*frame_end=*/false, out);
        EXPECT_EQ(taken.bytes, bytes.size());
        if (auto* hello = std::get_if<Hello>(&taken.value)) protocol = std::move(hello->successor);
        if (message == nullptr) continue;
        ASSERT_TRUE(std::holds_alternative<client::Request>(taken.value));
        auto& request = std::get<client::Request>(taken.value);
        EXPECT_EQ(request.id.has_value(), pomelo::StringMember(*message, "type") == "Request");
        if (!request.route.ok()) continue;
        const auto body = protocol->ReadBody(request);
        ASSERT_EQ(body.ok(), text != kNoJson) << body.status();
        if (body.ok()) {
          EXPECT_EQ(json::serialize(*body), text);
        }
        ++requests;
      } else if (message != nullptr && pomelo::StringMember(*message, "type") == "Response" &&
                 text.size() < pomelo::kMinDeflateBytes && !session.at("compression").as_bool()) {
        const pomelo::MessageId id(message->at("id").to_number<uint64_t>());
        const json::value body = json::parse(text);
        if (message->at("error").as_bool()) {
          const int code = std::stoi(std::string(pomelo::StringMember(body, "code").substr(4)));
          protocol->AppendError(id.bytes(), code, pomelo::StringMember(body, "msg"), out);
        } else {
          protocol->AppendAnswer(id.bytes(), body.as_object(), out);
        }
        EXPECT_EQ(pomelo::ToHex(out), pomelo::ToHex(bytes));
        ++answers;
      }
    }
  }
  EXPECT_GE(requests, 18);
  EXPECT_GE(answers, 10);
}

}  // namespace
}  // namespace pitaya_protocol_test
}  // namespace hubbub::client
