#include "services/client/client_session.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/testing/fake_session.h"
#include "services/signin/testing/test_tokens.h"
#include "services/testing/test_log.h"

// In a namespace of its own, because some of from_client's names are classes' names in hubbub::client.
namespace hubbub::client {
namespace client_session_test {
namespace {

using from_client::Ack;
using from_client::Handshake;
using from_client::Heartbeat;
using from_client::Notify;
using from_client::Package;
using from_client::Request;
using pomelo::PackageType;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kOk = "handshake {\"code\":200";
// No schema exists for it, so its bodies are JSON in every format.
constexpr std::string_view kPlain = "test.testHandler.plain";

// Runs each test on a loop, where sessions live.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    pomelo_.contract = &contract_;
    pomelo_.pushes = &pushes_;
    pomelo_.heartbeat = seconds(3);
  }

  template <typename Test>
  void Run(Test test) {
    OnLoop(loop(), [&] { test(); });
  }
  net::Loop& loop() { return loops_.at(0); }

  // Brings a session to work, and forgets what was said until then.
  static void Open(FakeSession& session, std::string_view type = "") {
    session.connection.Feed(Handshake(type));
    session.connection.Feed(Ack());
    session.connection.log.clear();
  }

  const ClientContract contract_{/*use_dict=*/true, /*use_protobuf=*/true, seconds(3)};
  PushEncodings encodings_;
  const PomeloPushes pushes_{contract_, encodings_};
  PomeloOptions pomelo_;
  SessionOptions options_;
  net::Loops loops_{1};
};

// A line of the log is compared up to the end of what is expected.
void ExpectLog(const std::vector<std::string>& log, const std::vector<std::string>& expected) {
  ASSERT_EQ(log.size(), expected.size()) << ::testing::PrintToString(log);
  for (size_t i = 0; i < log.size(); ++i) EXPECT_THAT(log[i], StartsWith(expected[i]));
}

// The state machine of Pomelo, one package after the other.
TEST_F(SessionTest, FollowsTheStateMachine) {
  const std::string request = Request(7, kPlain);
  const std::string asked = "request test.testHandler.plain {}";
  const std::string answered = "response 7 {\"done\":true}";
  const struct {
    const char* what;
    std::vector<std::string> packages;
    std::vector<std::string> log;
  } cases[] = {
      {"nothing is said unasked", {}, {}},
      {"handshake", {Handshake()}, {kOk}},
      {"a second handshake is ignored", {Handshake(), Handshake()}, {kOk}},
      {"the first heartbeat comes at the ack", {Handshake(), Ack()}, {kOk, "heartbeat"}},
      {"a second ack is ignored", {Handshake(), Ack(), Ack()}, {kOk, "heartbeat"}},
      {"a handshake at work is ignored", {Handshake(), Ack(), Handshake()}, {kOk, "heartbeat"}},
      {"an ack before the handshake is ignored", {Ack(), Handshake(), Ack()}, {kOk, "heartbeat"}},
      {"heartbeats are echoed",
       {Handshake(), Ack(), Heartbeat(), Heartbeat()},
       {kOk, "heartbeat", "heartbeat", "heartbeat"}},
      {"a heartbeat before work is ignored", {Heartbeat(), Handshake(), Heartbeat()}, {kOk}},
      {"data before work is ignored", {request, Handshake(), request, Ack()}, {kOk, "heartbeat"}},
      {"a request is answered", {Handshake(), Ack(), request}, {kOk, "heartbeat", asked, answered}},
      {"a notify is not", {Handshake(), Ack(), Notify(kPlain)}, {kOk, "heartbeat", asked}},
      {"a kick ends it",
       {Handshake(), Package(PackageType::kKick), Ack()},
       {kOk, "kick {\"reason\":\"a client cannot send a kick\"}", "close protocol_error"}},
      {"a type that does not exist ends it",
       {Handshake(), std::string("\x06\0\0\0", 4), Ack()},
       {kOk, "kick {\"reason\":", "close protocol_error"}},
      {"a response from a client ends it",
       {Handshake(), Ack(), Package(PackageType::kData, "\x04\x01{}")},
       {kOk, "heartbeat", "kick {\"reason\":", "close protocol_error"}},
      {"a message that ends early ends it",
       {Handshake(), Ack(), Package(PackageType::kData, "")},
       {kOk, "heartbeat", "kick {\"reason\":", "close protocol_error"}},
      {"a handshake without sys is refused",
       {Package(PackageType::kHandshake, R"({"user":{}})"), Ack()},
       {"handshake {\"code\":500}", "close protocol_error"}},
      {"a handshake that is no JSON is refused",
       {Package(PackageType::kHandshake, "{sys"), Ack()},
       {"handshake {\"code\":500}", "close protocol_error"}},
  };
  Run([&] {
    for (const auto& c : cases) {
      // Each package alone, all in one go, and cut at every byte: it must make no difference.
      for (const int way : {0, 1, 2}) {
        SCOPED_TRACE(::testing::Message() << c.what << ", way " << way);
        FakeSession session(loop(), pomelo_, options_);
        std::string all;
        for (const std::string& package : c.packages) all += package;
        if (way == 0) {
          for (const std::string& package : c.packages) session.connection.Feed(package, /*frame_end=*/true);
        } else if (way == 1) {
          if (!all.empty()) session.connection.Feed(all, /*frame_end=*/true);
        } else {
          for (const char byte : all) session.connection.Feed(std::string(1, byte));
        }
        ExpectLog(session.connection.log, c.log);
        EXPECT_EQ(session.connection.left(), 0u);
      }
    }
  });
}

TEST_F(SessionTest, WithoutHeartbeatsSaysNone) {
  pomelo_.heartbeat.reset();
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.connection.Feed(Handshake() + Ack() + Heartbeat());
    ExpectLog(session.connection.log, {kOk});
  });
}

TEST_F(SessionTest, TurnsClientsAwayThatTheProgramDoesNotServe) {
  options_.check_client = [](std::string_view type, std::string_view version) {
    return type == "new" && version == "1.0";
  };
  Run([&] {
    FakeSession old(loop(), pomelo_, options_);
    old.connection.Feed(Handshake("old") + Ack());
    ExpectLog(old.connection.log, {"handshake {\"code\":501}", "close protocol_error"});
    EXPECT_THAT(old.connection.close_detail, HasSubstr("client 'old' version '1.0'"));

    FakeSession young(loop(), pomelo_, options_);
    young.connection.Feed(Handshake("new") + Ack());
    ExpectLog(young.connection.log, {kOk, "heartbeat"});
  });
}

TEST_F(SessionTest, FramesHoldWholePackages) {
  const std::string whole = Handshake();
  Run([&] {
    for (size_t size = 1; size < whole.size(); ++size) {
      FakeSession session(loop(), pomelo_, options_);
      session.connection.Feed(whole.substr(0, size), /*frame_end=*/true);
      ExpectLog(session.connection.log, {"kick {\"reason\":", "close protocol_error"});
    }
    FakeSession empty(loop(), pomelo_, options_);
    empty.connection.Feed("", /*frame_end=*/true);
    ExpectLog(empty.connection.log,
              {"kick {\"reason\":\"an empty frame holds no package\"}", "close protocol_error"});
  });
}

TEST_F(SessionTest, BoundsPackagesByTheirHeadAlone) {
  pomelo_.max_first_package_bytes = 100;
  pomelo_.max_package_bytes = 200;
  const auto head = [](PackageType type, char bytes) {
    return std::string{static_cast<char>(type), 0, 0, bytes};
  };
  Run([&] {
    FakeSession first(loop(), pomelo_, options_);
    first.connection.Feed(head(PackageType::kHandshake, 101));
    ExpectLog(first.connection.log, {"kick ", "close protocol_error"});

    FakeSession waiting(loop(), pomelo_, options_);
    waiting.connection.Feed(head(PackageType::kHandshake, 100));
    ExpectLog(waiting.connection.log, {});

    FakeSession working(loop(), pomelo_, options_);
    Open(working);
    working.connection.Feed(head(PackageType::kData, static_cast<char>(200)));
    ExpectLog(working.connection.log, {});

    FakeSession large(loop(), pomelo_, options_);
    Open(large);
    large.connection.Feed(head(PackageType::kData, static_cast<char>(201)));
    ExpectLog(large.connection.log, {"kick ", "close protocol_error"});
  });
}

TEST_F(SessionTest, TakesOneRequestAtATime) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.script.answer = FakeHandler::Answer::kLater;
    Open(session);
    const std::string second = Request(2, kPlain);
    session.connection.Feed(Request(1, kPlain) + second + Heartbeat(), /*frame_end=*/true);
    ExpectLog(session.connection.log, {"request "});
    EXPECT_TRUE(session.connection.paused);
    EXPECT_EQ(session.connection.left(), second.size() + Heartbeat().size());

    session.script.replies[0].Ok({{"n", 1}});
    EXPECT_FALSE(session.connection.paused);
    session.connection.Offer();
    ExpectLog(session.connection.log, {"request ", "response 1 {\"n\":1}", "request "});
    session.script.replies[1].Fail(418, "no");
    session.connection.Offer();
    ExpectLog(session.connection.log,
              {"request ", "response 1 {\"n\":1}", "request ",
               "response 2 {\"code\":418,\"error\":true,\"message\":\"no\"}", "heartbeat"});
  });
}

TEST_F(SessionTest, AnswersARequestOnce) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.script.answer = FakeHandler::Answer::kLater;
    Open(session);
    session.connection.Feed(Request(300, kPlain));
    session.script.replies[0].Ok({});
    session.script.replies[0].Ok({{"again", true}});
    session.script.replies[0].Fail(500, "again");
    session.script.replies.clear();
    ExpectLog(session.connection.log, {"request ", "response 300 {}"});
  });
}

TEST_F(SessionTest, AnswersARequestThatTheProgramDropped) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.script.answer = FakeHandler::Answer::kNever;
    Open(session);
    session.connection.Feed(Request(1, kPlain) + Notify(kPlain) + Request(2, kPlain));
    ExpectLog(session.connection.log, {"request ", "response 1 {\"code\":500,\"error\":true,", "request ",
                                       "request ", "response 2 {\"code\":500,\"error\":true,"});
  });
}

TEST_F(SessionTest, ReplyAfterTheEndIsNothing) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.script.answer = FakeHandler::Answer::kLater;
    Open(session);
    session.connection.Feed(Request(1, kPlain));
    EXPECT_EQ(session.script.replies[0].session(), &*session);
    session->OnClosed(net::CloseReason::kClientLeft, "left");
    EXPECT_EQ(session.script.closed, 1);
    EXPECT_EQ(session.script.replies[0].session(), nullptr) << "the handler has had its last call";
    session.Destroy();
    EXPECT_EQ(session.script.replies[0].session(), nullptr);
    session.script.replies[0].Ok({});
    session.script.replies.clear();
    ExpectLog(session.connection.log, {"request "});
  });
}

// A handler that owns the reply to its request, as one may that waits for something.
class Hoarder final : public SessionHandler {
 public:
  void OnRequest(std::string_view, boost::json::object, Reply reply) override {
    replies_.push_back(std::move(reply));
  }
  void OnClosed(bool) override {}
  bool SignedIn() const override { return true; }

 private:
  std::vector<Reply> replies_;
};

TEST_F(SessionTest, HandlersMayOwnReplies) {
  Run([&] {
    FakeConnection connection;
    auto session = std::make_unique<ClientSession>(
        1, loop(), connection, std::make_unique<PomeloProtocol>(pomelo_, /*framed=*/false), options_,
        [](ClientSession&) { return std::make_unique<Hoarder>(); });
    connection.protocol = session.get();
    connection.Feed(Handshake() + Ack() + Request(1, kPlain));
    connection.log.clear();
    session.reset();
    ExpectLog(connection.log, {});
    EXPECT_TRUE(connection.paused) << "a session that ends does not go on reading";
  });
}

TEST_F(SessionTest, AfterAKickNothingIsSentOrRead) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.script.answer = FakeHandler::Answer::kLater;
    Open(session);
    session.connection.Feed(Request(1, kPlain));
    session->Kick("go \"away\"");
    session->Kick("twice");
    session->Push("onNotice", {});
    session->Write(std::make_shared<const std::string>(Heartbeat()));
    session.script.replies[0].Ok({});
    EXPECT_EQ(session->OnBytes(Request(2, kPlain), true), Request(2, kPlain).size());
    ExpectLog(session.connection.log, {"request ", "kick {\"reason\":\"go \\\"away\\\"\"}", "close kicked"});
  });
}

TEST_F(SessionTest, PushesOnlyToClientsAtWork) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session->Push("onNotice", {{"n", 1}});
    session.connection.Feed(Handshake());
    session->Push("onNotice", {{"n", 2}});
    session->Write(std::make_shared<const std::string>(Heartbeat()));
    session.connection.Feed(Ack());
    session->Push("onNotice", {{"n", 3}});
    ExpectLog(session.connection.log, {kOk, "heartbeat", "push onNotice {\"n\":3}"});
  });
}

// Clients in the field read only the first package of a frame. The connection says what is no frame of one.
TEST_F(SessionTest, OnAWebSocketEachPackageIsAFrame) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_, /*id=*/1, /*framed=*/true);
    auto& connection = session.connection;
    connection.Feed(Handshake(), true);
    connection.Feed(Ack(), true);
    connection.Feed(Heartbeat(), true);
    for (uint64_t id = 1; id <= 3; ++id) connection.Feed(Request(id, kPlain), true);
    session->Push("onNotice", {{"n", std::string(70'000, 'x')}});
    session->Push("onChat", {{"msg", 1}});
    session->Kick("enough");
    const std::string asked = "request ";
    ExpectLog(connection.log,
              {kOk, "heartbeat", "heartbeat", asked, "response 1 ", asked, "response 2 ", asked,
               "response 3 ", "push onNotice ", "push onChat ", "kick ", "close kicked"});
    EXPECT_EQ(connection.payloads.size(), 8u + 1);

    FakeSession refused(loop(), pomelo_, options_, /*id=*/2, /*framed=*/true);
    refused.connection.Feed(Package(PackageType::kHandshake, "{}"), true);
    ExpectLog(refused.connection.log, {"handshake {\"code\":500", "close protocol_error"});
  });
}

TEST_F(SessionTest, APushThatItsSchemaRefusesIsNotSent) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session, "js-websocket");
    session->Push("onChat", {{"msg", 1}});
    ExpectLog(session.connection.log, {});
  });
}

TEST_F(SessionTest, RefusesWhatItCanNotRead) {
  std::string compressed;
  pomelo::AppendRequest(1, kPlain, "{}", compressed);
  compressed[0] = static_cast<char>(compressed[0] | 0x10);
  const struct {
    const char* what;
    std::string type;
    std::string package;
    std::string answer;  // Behind "response 1 ".
  } cases[] = {
      {"unknown code", "", Request(1, uint16_t{99}),
       "{\"code\":404,\"error\":true,\"message\":\"no route has the code 99\"}"},
      {"code 0", "", Request(1, uint16_t{0}), "{\"code\":404,"},
      {"bad JSON", "", Request(1, kPlain, "{"),
       "{\"code\":400,\"error\":true,\"message\":\"the body of 'test.testHandler.plain': "},
      {"no object", "", Request(1, kPlain, "[]"), "{\"code\":400,"},
      {"not UTF-8", "", Request(1, kPlain, "{\"a\":\"\xff\"}"), "{\"code\":400,"},
      {"protobuf from a client of JSON", "", Request(1, route::kQueryEntry, "\x0a\x01u"), "{\"code\":400,"},
      {"bad protobuf", "js-websocket", Request(1, route::kQueryEntry, "\x0a\x05u"),
       "{\"code\":400,\"error\":true,\"message\":\"the body of 'gate.gateHandler.queryEntry': "},
      {"protobuf that lacks a field", "c", Request(1, route::kEnter, "\x0a\x01u"), "{\"code\":400,"},
      {"compressed", "", Package(PackageType::kData, compressed),
       "{\"code\":400,\"error\":true,\"message\":\"compressed"},
      {"a route that cannot be shown", "", Request(1, "\xff\n'", "{"),
       "{\"code\":400,\"error\":true,\"message\":\"the body of '?"
       "?"
       "?': "},
  };
  Run([&] {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.what);
      FakeSession session(loop(), pomelo_, options_);
      Open(session, c.type);
      session.connection.Feed(c.package + Request(2, kPlain), /*frame_end=*/true);
      // Its author is told, and the session goes on.
      ExpectLog(session.connection.log, {"response 1 " + c.answer, "request ", "response 2 {\"done\":true}"});
    }
  });
}

TEST_F(SessionTest, NotifiesThatCanNotBeReadAreDropped) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.connection.Feed(Notify(uint16_t{99}) + Notify(kPlain, "{") + Heartbeat());
    ExpectLog(session.connection.log, {"heartbeat"});
  });
}

TEST_F(SessionTest, CodesAreThoseOfTheDictionary) {
  const auto code = contract_.dictionary()->CodeOf(route::kSend);
  ASSERT_TRUE(code.has_value());
  const ClientContract without(/*use_dict=*/false, true, seconds(3));
  PomeloOptions plain = pomelo_;
  plain.contract = &without;
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.connection.Feed(Request(1, *code));
    ExpectLog(session.connection.log, {"request chat.chatHandler.send {}", "response 1"});

    FakeSession other(loop(), plain, options_);
    Open(other);
    other.connection.Feed(Request(1, *code));
    ExpectLog(other.connection.log,
              {"response 1 {\"code\":404,\"error\":true,\"message\":\"route codes are not in use"});
  });
}

TEST_F(SessionTest, BodiesAreAsTheClientWritesThem) {
  const std::string smile_utf8 = "\xf0\x9f\x98\x82";
  const std::string smile_cesu8 = "\xed\xa0\xbd\xed\xb8\x82";
  const struct {
    std::string type, body;
  } cases[] = {
      {"", "{\"uid\":\"" + smile_utf8 + "\"}"},
      {"", "{\"uid\":\"\\ud83d\\ude02\"}"},
      {"js-websocket", "\x0a\x06" + smile_cesu8},
      {"unity-socket", "\x0a\x04" + smile_utf8},
      // JSON is what is expected; protobuf may come from clients that have kept the schemas of before.
      {"js-websocket", "{\"uid\":\"" + smile_cesu8 + "\"}"},
      {"unity-socket", "{\"uid\":\"" + smile_utf8 + "\"}"},
  };
  Run([&] {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.type);
      FakeSession session(loop(), pomelo_, options_);
      Open(session, c.type);
      session.connection.Feed(Request(1, route::kQueryEntry, c.body));
      ExpectLog(session.connection.log,
                {"request gate.gateHandler.queryEntry {\"uid\":\"\\ud83d\\ude02\"}", "response 1 "});
    }
  });
}

TEST_F(SessionTest, ARequestWithoutABodyIsAnEmptyObject) {
  Run([&] {
    for (const char* type : {"", "js-websocket"}) {
      FakeSession session(loop(), pomelo_, options_);
      Open(session, type);
      session.connection.Feed(Request(1, kPlain, "") + Request(2, route::kEnter, ""));
      ExpectLog(session.connection.log, {"request test.testHandler.plain {}", "response 1 ",
                                         "request connector.entryHandler.enter {}", "response 2 "});
    }
  });
}

// The Flash client writes the most significant group of an id first: 300 is 82 2c.
TEST_F(SessionTest, AResponseHasTheIdAsItCame) {
  Run([&] {
    for (const std::string& id :
         {std::string("\x2c"), std::string("\x82\x2c"), std::string("\x80\x80\x01"),
          std::string("\xff\xff\xff\xff\x7f"), std::string("\x81\x00", 2), std::string(9, '\xff') + "\x7f"}) {
      FakeSession session(loop(), pomelo_, options_);
      Open(session);
      session.connection.Feed(Package(PackageType::kData, std::string(1, '\0') + id +
                                                              "\x05"
                                                              "a.b.c{}"));
      const std::string message = "\x04" + id + R"({"done":true})";
      EXPECT_EQ(*session.connection.payloads.back(), Package(PackageType::kData, message))
          << pomelo::ToHex(id);
    }
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.connection.Feed(Package(PackageType::kData, std::string(1, '\0') + std::string(10, '\xff') +
                                                            "\x01\x05"
                                                            "a.b.c{}"));
    ExpectLog(session.connection.log,
              {"kick {\"reason\":\"a message id is longer than 10 bytes\"}", "close protocol_error"});
  });
}

TEST_F(SessionTest, LargeMessagesAreAllowedOnceTheHandshakeIsOver) {
  pomelo_.max_package_bytes = 100'000;
  const std::string body = R"({"content":")" + std::string(99'000, 'x') + "\"}";
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    EXPECT_EQ(session.connection.allowed, 0u);
    session.connection.Feed(Handshake());
    EXPECT_EQ(session.connection.allowed, 100'004u);
    session.connection.Feed(Ack() + Request(1, kPlain, body), /*frame_end=*/true);
    EXPECT_THAT(session.connection.log.back(), StartsWith("response 1 "));

    FakeSession early(loop(), pomelo_, options_);
    early.connection.Feed(Request(1, kPlain, body));
    EXPECT_TRUE(early.connection.closed);
    FakeSession refused(loop(), pomelo_, options_);
    refused.connection.Feed(Package(PackageType::kHandshake, "{}"));
    EXPECT_EQ(refused.connection.allowed, 0u);
  });
}

TEST_F(SessionTest, RequestsBeyondTheRateAreRefused) {
  options_.max_requests_per_second = 1;
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    // A burst of two, and one more for each second that the test may take. Fewer than a flood.
    constexpr int kRequests = 90;
    std::string all;
    for (int i = 1; i <= kRequests; ++i) all += Request(static_cast<uint64_t>(i), kPlain);
    session.connection.Feed(all);
    int done = 0;
    int refused = 0;
    for (const std::string& line : session.connection.log) {
      if (line.find(" {\"done\":true}") != std::string::npos) ++done;
      if (line.find(" {\"code\":429,\"error\":true,\"message\":\"more than 1 requests a second") !=
          std::string::npos)
        ++refused;
    }
    EXPECT_GE(done, 2);
    EXPECT_GT(refused, kRequests / 2);
    EXPECT_EQ(done + refused, kRequests) << "each request is answered";
    EXPECT_FALSE(session.connection.closed);
  });
}

TEST_F(SessionTest, BytesBeyondTheRateAreRefused) {
  options_.max_bytes_per_second = 150'000;
  pomelo_.max_package_bytes = 208 * 1024;
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    const std::string body = R"({"text":")" + std::string(100'000, 'x') + R"("})";
    for (uint64_t id = 1; id <= 5; ++id) session.connection.Feed(Request(id, kPlain, body));
    const auto& log = session.connection.log;
    EXPECT_THAT(log, Contains("response 2 {\"done\":true}"));
    EXPECT_THAT(log.back(),
                StartsWith("response 5 {\"code\":429,\"error\":true,\"message\":\"more than 150000 bytes"));
    EXPECT_FALSE(session.connection.closed);
    for (uint64_t id = 6; id <= 12; ++id) session.connection.Feed(Request(id, kPlain, body));
    EXPECT_TRUE(session.connection.closed) << "a flood of bytes";
  });
}

// The deadlines, by a clock of the test's own.
struct Deadline {
  const char* what;
  std::string input;
  bool signed_in;
  milliseconds after;
  const char* why;  // Null: it stays.
};

TEST_F(SessionTest, AnswersAreCountedByTheirCode) {
  ClientCounters counters;
  options_.counters = &counters;
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.connection.Feed(Request(1, kPlain));
    session.connection.Feed(Notify(kPlain));
    session.connection.Feed(Request(2, kPlain, "no body"));
    session.script.answer = FakeHandler::Answer::kLater;
    for (const int code : {403, 418, 504}) {
      session.connection.Feed(Request(3, kPlain));
      session.script.replies.back().Fail(code, "why");
      session.connection.Offer();
    }
    session.connection.Feed(Request(4, kPlain));
    session.script.answer = FakeHandler::Answer::kNever;
    session.script.replies.clear();
  });
  ClientCounts counts;
  counters.AddTo(counts);
  const std::map<int, uint64_t> expected = {{200, 2}, {400, 1}, {403, 1}, {0, 1}, {500, 1}, {504, 1}};
  for (size_t i = 0; i < kRequestCodes.size(); ++i) {
    const auto at = expected.find(kRequestCodes[i]);
    EXPECT_EQ(counts.of(ProtocolKind::kPomelo).requests[i], at == expected.end() ? 0 : at->second)
        << "code " << kRequestCodes[i];
  }
  EXPECT_EQ(counts.of(ProtocolKind::kPomelo).greeted, 1u);
  EXPECT_EQ(counts.of(ProtocolKind::kSocketIo).greeted, 0u);
}

TEST_F(SessionTest, EachRequestHasAnIdThatItsLogLineShows) {
  options_.request_prefix = "abc123";
  testing::TestLog log(spdlog::level::debug);
  Run([&] {
    FakeSession session(loop(), pomelo_, options_, /*id=*/47);
    Open(session);
    session.script.answer = FakeHandler::Answer::kLater;
    session.connection.Feed(Request(1, kPlain, R"({"content":"the secret word"})"));
    EXPECT_EQ(session.script.replies.back().request_id(), "abc123-2f-1");
    session.script.replies.back().Fail(403, "why");
    session.connection.Offer();
    session.connection.Feed(Notify("no\nroute"));
    EXPECT_EQ(session->request_id(), "abc123-2f-2");
    session.script.replies.back().Ok({});
    session.connection.Feed(Request(3, uint16_t{999}));
    Reply& late = session.script.replies.back();
    session.Destroy();
    EXPECT_EQ(late.request_id(), "");
  });
  std::vector<std::string> answered;
  for (const std::string& line : log.lines()) {
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
    if (line.find("was answered") != std::string::npos) answered.push_back(line);
  }
  EXPECT_THAT(
      answered,
      ElementsAre(AllOf(HasSubstr("request=abc123-2f-1"), HasSubstr("code=403"),
                        HasSubstr("route=test.testHandler.plain")),
                  AllOf(HasSubstr("request=abc123-2f-2"), HasSubstr("code=200"), HasSubstr("route=no?route")),
                  AllOf(HasSubstr("request=abc123-2f-3"), HasSubstr("code=404"), Not(HasSubstr("route=")))));
}

TEST_F(SessionTest, ARequestThatIsGivenUpIsAnErrorInTheLog) {
  testing::TestLog log;
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.script.answer = FakeHandler::Answer::kNever;
    session.connection.Feed(Request(1, kPlain));
  });
  EXPECT_THAT(log.lines(),
              ElementsAre(AllOf(HasSubstr("a request was given up"), HasSubstr("request=-1-1"))));
}

TEST_F(SessionTest, EndsSessionsThatAreLate) {
  pomelo_.heartbeat = seconds(60);
  options_.handshake_timeout = seconds(100);
  options_.sign_in_timeout = seconds(200);
  const std::string open = Handshake() + Ack();
  const Deadline cases[] = {
      {"nothing said, in time", "", false, seconds(90), nullptr},
      {"nothing said", "", false, seconds(1000), "no handshake in time"},
      {"no ack", Handshake(), false, seconds(1000), "no handshake in time"},
      {"no heartbeat, in time", open, true, seconds(110), nullptr},
      {"no heartbeat", open, true, seconds(1000), "no heartbeat in time"},
      {"nobody signed in, in time", open, false, seconds(110), nullptr},
      {"nobody signed in", open, false, seconds(1000), "nobody signed in in time"},
  };
  Run([&] {
    for (const Deadline& c : cases) {
      SCOPED_TRACE(c.what);
      const auto now = net::Clock::now();
      FakeSession session(loop(), pomelo_, options_);
      session.script.signed_in = c.signed_in;
      session.connection.Feed(c.input);
      session.connection.log.clear();
      session->OnTick(now + c.after);
      session->OnTick(now + c.after);
      if (c.why == nullptr) {
        EXPECT_THAT(session.connection.log, IsEmpty());
      } else {
        // Without a kick, as in Pomelo.
        EXPECT_THAT(session.connection.log, ElementsAre("close timeout"));
        EXPECT_EQ(session.connection.close_detail, c.why);
      }
    }
  });
}

TEST_F(SessionTest, WithoutHeartbeatsSilenceHasItsOwnBound) {
  pomelo_.heartbeat.reset();
  options_.idle_timeout = seconds(90);
  Run([&] {
    const auto now = net::Clock::now();
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session->OnTick(now + seconds(80));
    EXPECT_FALSE(session.connection.closed);
    session->OnTick(now + seconds(1000));
    EXPECT_TRUE(session.connection.closed);
  });
}

// A loop that has much to do has not read yet what would show that the client is there.
TEST_F(SessionTest, NobodyIsJudgedBeforeItIsRead) {
  const struct {
    const char* what;
    std::string input;
    bool signed_in;
    seconds allowed;
  } cases[] = {
      {"handshake", "", false, seconds(10)},
      {"sign-in", Handshake() + Ack(), false, seconds(10)},
      {"heartbeat", Handshake() + Ack(), true, seconds(6)},
  };
  Run([&] {
    for (const auto& c : cases) {
      SCOPED_TRACE(c.what);
      const auto now = net::Clock::now();
      FakeSession session(loop(), pomelo_, options_);
      session.script.signed_in = c.signed_in;
      session.connection.Feed(c.input);
      session.connection.unread = true;
      session->OnTick(now + c.allowed + seconds(2));
      EXPECT_FALSE(session.connection.closed);
      session->OnTick(now + 2 * c.allowed + seconds(2));
      EXPECT_TRUE(session.connection.closed) << "nobody gets time without end by sending on";
    }
  });
}

TEST_F(SessionTest, WithoutHeartbeatsAnySignOfLifeCounts) {
  pomelo_.heartbeat.reset();
  options_.idle_timeout = seconds(90);
  const auto is_open = [&](bool has_to_speak) {
    options_.has_to_speak = has_to_speak;
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    const auto now = net::Clock::now();
    for (const int after : {40, 80, 120, 160}) {
      session.connection.shows_life = true;
      session->OnTick(now + seconds(after));
    }
    return !session.connection.closed;
  };
  Run([&] {
    EXPECT_TRUE(is_open(/*has_to_speak=*/false));
    EXPECT_FALSE(is_open(/*has_to_speak=*/true));
  });
}

TEST_F(SessionTest, AClientThatSaysNoMoreIsAnsweredFirst) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.script.answer = FakeHandler::Answer::kLaterAndLetNextCome;
    session.connection.Feed(Request(1, kPlain) + Request(2, kPlain));
    session->OnLastByte("the client has closed");
    EXPECT_FALSE(session.connection.closed);
    session->OnTick(net::Clock::now() + seconds(1000));
    EXPECT_FALSE(session.connection.closed) << "it cannot say that it is there";
    session.connection.log.clear();
    session.script.replies[1].Ok({});
    session->Push("onNotice", {});
    session.script.replies[0].Ok({});
    EXPECT_THAT(session.connection.log,
                ElementsAre("response 2 {}", "push onNotice {}", "response 1 {}", "close client_left"));
    EXPECT_EQ(session.connection.close_detail, "the client has closed");

    FakeSession idle(loop(), pomelo_, options_);
    Open(idle);
    idle->OnLastByte("the client has closed");
    EXPECT_THAT(idle.connection.log, ElementsAre("close client_left"));
  });
}

TEST_F(SessionTest, ARequestMayLetTheNextOneComeBeforeItIsAnswered) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.connection.log.clear();
    session.script.answer = FakeHandler::Answer::kLaterAndLetNextCome;
    session.connection.Feed(Request(1, kPlain) + Request(2, kPlain) + Request(3, kPlain));
    ASSERT_EQ(session.script.replies.size(), 3u);
    session.script.answer = FakeHandler::Answer::kLater;
    session.connection.Feed(Request(4, kPlain) + Request(5, kPlain));
    ASSERT_EQ(session.script.replies.size(), 4u) << "the fourth lets nobody come";
    EXPECT_TRUE(session.connection.paused);
    session.connection.log.clear();

    session.script.replies[1].Ok({});
    EXPECT_TRUE(session.connection.paused) << "it is the fourth that is waited for";
    session.script.replies[3].Ok({});
    EXPECT_FALSE(session.connection.paused);
    session.connection.Offer();
    EXPECT_THAT(session.connection.log,
                ElementsAre("response 2 {}", "response 4 {}", "request test.testHandler.plain {}"));
    session.script.replies.clear();
  });
}

TEST_F(SessionTest, AtTheEndOfTheServerAllThatIsUnderWayIsAnsweredFirst) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    Open(session);
    session.script.answer = FakeHandler::Answer::kLaterAndLetNextCome;
    session.connection.Feed(Request(1, kPlain) + Request(2, kPlain));
    session->OnShutdown("reconnect");
    EXPECT_TRUE(session.connection.paused);
    session.connection.Feed(Request(3, kPlain));
    ASSERT_EQ(session.script.replies.size(), 2u) << "nothing more is begun";
    session.connection.log.clear();
    session.script.replies[0].Ok({});
    EXPECT_FALSE(session.connection.closed);
    session.script.replies[1].Ok({});
    EXPECT_THAT(session.connection.log, ElementsAre("response 1 {}", "response 2 {}",
                                                    "kick {\"reason\":\"reconnect\"}", "close shutdown"));
  });
}

TEST_F(SessionTest, NobodyIsLateWhoIsNotRead) {
  Run([&] {
    FakeSession busy(loop(), pomelo_, options_);
    busy.script.answer = FakeHandler::Answer::kLater;
    busy.script.signed_in = false;
    Open(busy);
    busy.connection.Feed(Request(1, kPlain));
    FakeSession stalled(loop(), pomelo_, options_);
    Open(stalled);
    stalled.connection.stalled = true;

    const auto now = net::Clock::now();
    busy->OnTick(now + seconds(100));
    stalled->OnTick(now + seconds(100));
    EXPECT_FALSE(busy.connection.closed);
    EXPECT_FALSE(stalled.connection.closed);

    // From here on the clock runs for them as for all.
    busy.script.signed_in = true;
    busy.script.replies.clear();
    stalled.connection.stalled = false;
    busy->OnTick(now + seconds(105));
    stalled->OnTick(now + seconds(105));
    EXPECT_FALSE(busy.connection.closed);
    EXPECT_FALSE(stalled.connection.closed);
    busy->OnTick(now + seconds(107));
    stalled->OnTick(now + seconds(107));
    EXPECT_TRUE(busy.connection.closed);
    EXPECT_TRUE(stalled.connection.closed);
  });
}

TEST_F(SessionTest, TellsItsHandlerTheEnd) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session->OnClosed(net::CloseReason::kClientLeft, "left");
    EXPECT_EQ(session.script.closed, 1);
    session.connection.Feed(Handshake());
    ExpectLog(session.connection.log, {});
  });
}

TEST_F(SessionTest, TellsWhetherItsClientIsExpectedBack) {
  struct Case {
    net::CloseReason reason;
    bool said_goodbye;
    bool clean;
  };
  using net::CloseReason;
  constexpr Case kCases[] = {
      {CloseReason::kClientLeft, true, true}, {CloseReason::kClientLeft, false, false},
      {CloseReason::kFlood, false, true},     {CloseReason::kKicked, false, true},
      {CloseReason::kTimeout, false, false},  {CloseReason::kSlow, false, false},
      {CloseReason::kSlow, true, false},      {CloseReason::kProtocolError, true, false},
      {CloseReason::kShutdown, false, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(net::ToString(c.reason)) + (c.said_goodbye ? " with goodbye" : ""));
    Run([&] {
      FakeSession session(loop(), pomelo_, options_);
      session.connection.said_goodbye = c.said_goodbye;
      session->OnClosed(c.reason, "over");
      EXPECT_EQ(session.script.closed, 1);
      EXPECT_EQ(session.script.clean, c.clean);
    });
  }
}

TEST(PomeloProtocol, TellsAClientThatCannotStayWhy) {
  const std::string kick = Package(PackageType::kKick, R"({"reason":"full"})");
  EXPECT_EQ(PomeloProtocol::Refusal("full", /*framed=*/false), kick);
  EXPECT_EQ(PomeloProtocol::Refusal("full", /*framed=*/true), "\x82\x15" + kick);
}

TEST_F(SessionTest, KnowsThisProjectsOwnClientByItsHandshake) {
  for (const auto& [type, own] : {std::pair("hubbub-web", true), {"js-websocket", false}, {"", false}}) {
    Run([&, type = type, own = own] {
      FakeSession session(loop(), pomelo_, options_);
      session.connection.Feed(Handshake(type));
      EXPECT_EQ(session->own_client(), own) << type;
    });
  }
}

TEST_F(SessionTest, ABadTokenInTheHandshakeEndsIt) {
  const signin::TestIssuer issuer;
  options_.sign_in = &issuer.checker();
  const struct {
    std::string token;
    const char* why;
  } cases[] = {{"junk", "is not a JWT"},
               {signin::TestIssuer::TokenThatEnds("ada", -5'000), "ended 15 s ago"},
               {signin::TestIssuer::TokenFor("*"), "a user that cannot be"}};
  for (const auto& one : cases) {
    Run([&] {
      FakeSession session(loop(), pomelo_, options_);
      session.connection.Feed(from_client::HandshakeWithToken(one.token));
      ExpectLog(session.connection.log, {"kick {\"reason\":\"the sign-in token ", "close kicked"});
      EXPECT_THAT(session.connection.close_detail, HasSubstr(one.why));
    });
  }
}

TEST_F(SessionTest, ATokenIsTakenFromTheHandshakeOrFromTheUpgrade) {
  const signin::TestIssuer issuer;
  options_.sign_in = &issuer.checker();
  const std::string token = signin::TestIssuer::TokenFor("ada");
  for (const bool in_handshake : {false, true}) {
    Run([&] {
      FakeSession session(loop(), pomelo_, options_);
      if (!in_handshake) session.connection.bearer = token;
      session.connection.Feed(in_handshake ? from_client::HandshakeWithToken(token) : Handshake());
      ExpectLog(session.connection.log, {kOk});
      EXPECT_TRUE(session->pass().MayActAs("ada").ok());
      EXPECT_FALSE(session->pass().MayActAs("bob").ok());
    });
  }
}

TEST_F(SessionTest, AnOpenServerTakesNoNoticeOfTokens) {
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.connection.Feed(from_client::HandshakeWithToken("junk"));
    ExpectLog(session.connection.log, {kOk});
  });
}

// Of one kind each: what costs an answer, and what costs only a look.
TEST_F(SessionTest, AClientThatFloodsIsClosed) {
  options_.max_requests_per_second = 200;
  for (const std::string& package : {Heartbeat(), Request(7, kPlain), Notify(kPlain), Handshake()}) {
    Run([&] {
      FakeSession session(loop(), pomelo_, options_);
      Open(session);
      int sent = 0;
      // A burst of 400 and 200 refusals are allowed, and what is earned meanwhile.
      while (!session.connection.closed && sent < 100'000) {
        session.connection.Feed(package);
        ++sent;
      }
      EXPECT_TRUE(session.connection.closed) << sent;
      EXPECT_GT(sent, 600);
      EXPECT_THAT(session.connection.close_detail, HasSubstr("far more than a client may"));
    });
  }
}

TEST_F(SessionTest, EndsWithItsToken) {
  const signin::TestIssuer issuer;
  options_.sign_in = &issuer.checker();
  Run([&] {
    FakeSession session(loop(), pomelo_, options_);
    session.connection.Feed(from_client::HandshakeWithToken(signin::TestIssuer::TokenThatEnds("ada", 500)));
    session.connection.Feed(Ack());
    session.connection.log.clear();
    const auto deadline = net::Clock::now() + seconds(30);
    while (!session.connection.closed && net::Clock::now() < deadline) session->OnTick(net::Clock::now());
    ASSERT_TRUE(session.connection.closed);
    EXPECT_THAT(session.connection.log.back(), "close kicked");
    EXPECT_THAT(session.connection.close_detail, HasSubstr("your sign-in token has ended"));
  });
}

}  // namespace
}  // namespace client_session_test
}  // namespace hubbub::client
