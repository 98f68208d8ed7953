// Sessions of Engine.IO over real sockets, on several loops. What clients see of the documents' cases is in
// tests/e2e/engineio.test.mjs; here is what needs other limits than a server has.
#include "services/engine/engine.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/net/frame.h"
#include "services/net/listener.h"
#include "services/testing/tcp_client.h"
#include "services/testing/wait.h"
#include "services/testing/web_socket_client.h"

namespace hubbub::engine {
namespace {

using hubbub::testing::TcpClient;
using hubbub::testing::WaitUntil;
using hubbub::testing::WebSocketClient;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

net::Payload Text(std::string_view text) {
  std::string out;
  net::AppendFrame(net::Framing::kText, out, [&](std::string& to) { to += text; });
  return std::make_shared<const std::string>(std::move(out));
}

struct Counts {
  std::atomic<int> made{0};
  std::atomic<int> closed{0};
  std::atomic<int> clean{0};
  std::atomic<int> fills{0};
  std::atomic<bool> holding{false};  // A protocol has been told to hold, and has paused.
  std::atomic<bool> go_on{false};    // Those that hold may go on.
};

// Says everything again. On "flood" it says more than a client may have waiting, on "fill" a megabyte, on
// "bye" it closes, on "bearer" it says the token that was shown, on "pause" it takes nothing until the next
// tick, on "hold" until it may go on.
class Echo final : public net::Protocol {
 public:
  Echo(net::Connection& connection, Counts& counts) : connection_(connection), counts_(counts) {
    ++counts_.made;
  }

  size_t OnBytes(std::string_view bytes, bool frame_end) override {
    EXPECT_TRUE(frame_end);
    if (paused_) return 0;
    connection_.Send(Text("4" + (bytes == "bearer" ? connection_.TakeBearer() : std::string(bytes))));
    if (bytes == "flood") {
      const net::Payload much = Text("4" + std::string(100'000, 'x'));
      for (int i = 0; i < 50; ++i) connection_.Send(much);
    }
    if (bytes == "fill") {
      connection_.Send(Text("4" + std::string(1'000'000, 'x')));
      ++counts_.fills;
    }
    if (bytes == "bye") connection_.Close(net::CloseReason::kKicked, "because");
    if (bytes == "pause" || bytes == "hold") {
      paused_ = true;
      holds_ = bytes == "hold";
      connection_.Pause();
      if (holds_) counts_.holding = true;
    }
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(net::CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(net::Clock::time_point) override {
    if (!paused_ || (holds_ && !counts_.go_on)) return;
    paused_ = false;
    connection_.Resume();
  }
  void OnShutdown(std::string_view detail) override {
    connection_.Send(Text("4" + std::string(detail)));
    connection_.Close(net::CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(net::CloseReason, std::string_view) override {
    // Tests wait for `closed`, and read the other one then.
    if (connection_.SaidGoodbye()) ++counts_.clean;
    ++counts_.closed;
  }

 private:
  net::Connection& connection_;
  Counts& counts_;
  bool paused_ = false;
  bool holds_ = false;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { Start({}); }

  void Start(SessionLimits limits, int max_sessions = 100, int max_per_machine = 100,
             size_t max_waiting_bytes = size_t{1} << 30) {
    const auto waiting = net::BoundWaiting(loops_.size(), max_waiting_bytes);
    listener_.reset();
    engine_.reset();
    limits.last_poll = milliseconds(50);
    engine_ = std::make_unique<Engine>(
        loops_,
        EngineOptions{.server_id = "server 1",
                      .max_sessions = max_sessions,
                      .max_per_machine = max_per_machine,
                      .waiting = waiting,
                      .check_bearer = [](std::string_view token) -> std::optional<std::string> {
                        if (token.starts_with("good")) return std::nullopt;
                        return "this token is bad";
                      },
                      .limits = limits,
                      .tick = milliseconds(10)},
        [this](net::Loop& loop, net::Connection& connection, socketio::EngineVersion) {
          loop.AssertHere();
          return std::make_unique<Echo>(connection, counts_);
        });
    net::HttpRouter router;
    engine_->AddRoutes(router);
    auto listener =
        net::Listener::Start(loops_, {.host = "127.0.0.1", .waiting = waiting}, {}, std::move(router));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  ~EngineTest() override {
    listener_.reset();
    engine_.reset();
  }

  // The body of the answer, or its status line if that is not 200.
  std::string Ask(std::string_view method, std::string_view query, std::string_view body = "") {
    TcpClient client(listener_->port());
    Ask(client, method, query, body);
    const std::string answer = client.ReadToEnd();
    if (answer.starts_with("HTTP/1.1 200")) return answer.substr(answer.find("\r\n\r\n") + 4);
    return answer.substr(0, answer.find("\r\n"));
  }
  // Waits for no answer.
  static void Ask(TcpClient& client, std::string_view method, std::string_view query, std::string_view body) {
    client.Send(fmt::format(
        "{} /socket.io/?{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", method,
        query, body.size(), body));
  }
  static std::string SidIn(std::string_view open) {
    const size_t begin = open.find("\"sid\":\"") + 7;
    return std::string(open.substr(begin, open.find('"', begin) - begin));
  }
  std::string OpenPolling() {
    return "EIO=4&transport=polling&sid=" + SidIn(Ask("GET", "EIO=4&transport=polling"));
  }
  // A WebSocket that has taken over from the polls of a session.
  std::unique_ptr<WebSocketClient> Upgraded(std::string_view query) {
    auto client = std::make_unique<WebSocketClient>(
        listener_->port(),
        "/socket.io/?EIO=4&transport=websocket&sid=" + std::string(query.substr(query.find("sid=") + 4)));
    client->Send("2probe", WebSocketClient::Kind::kText);
    EXPECT_EQ(Next(*client), "3probe");
    client->Send("5", WebSocketClient::Kind::kText);
    return client;
  }
  static std::string Next(WebSocketClient& client) {
    const auto frame = client.Read();
    return frame.kind == WebSocketClient::Kind::kClose ? "close " + hubbub::testing::CloseText(frame)
                                                       : frame.body;
  }

  net::Traffic Counted() const {
    net::Traffic sum;
    engine_->AddTraffic(sum);
    return sum;
  }

  Counts counts_;
  net::Loops loops_{3};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<net::Listener> listener_;
};

TEST_F(EngineTest, ServesASessionWhateverLoopItsRequestsComeTo) {
  const std::string query = OpenPolling();
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(Ask("POST", query, fmt::format("4{}", i)), "ok");
    EXPECT_EQ(Ask("GET", query), fmt::format("4{}", i));
  }
  EXPECT_EQ(engine_->sessions(), 1);
}

TEST_F(EngineTest, MovesTheWebSocketOfAnUpgradeToTheSession) {
  // So many that each loop has some from each loop.
  for (int i = 0; i < 12; ++i) {
    const std::string query = OpenPolling();
    EXPECT_EQ(Ask("POST", query, "4before"), "ok");
    const auto client = Upgraded(query);
    EXPECT_EQ(Next(*client), "4before");
    client->Send("4after", WebSocketClient::Kind::kText);
    EXPECT_EQ(Next(*client), "4after");
    client->Send("\1\2", WebSocketClient::Kind::kBinary);
    EXPECT_EQ(Next(*client), "4b\1\2");
  }
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 12; }));
  EXPECT_TRUE(WaitUntil([this] { return engine_->sessions() == 0; }));
}

TEST_F(EngineTest, HearsAWebSocketThatTookOverWhileTheProtocolWasPaused) {
  const std::string query = OpenPolling();
  TcpClient post(listener_->port());
  Ask(post, "POST", query,
      "4hold\x1e"
      "4b");
  EXPECT_TRUE(WaitUntil([this] { return counts_.holding.load(); }));
  const auto client = Upgraded(query);
  EXPECT_EQ(Next(*client), "4hold");
  client->Send("4c", WebSocketClient::Kind::kText);
  counts_.go_on = true;
  EXPECT_EQ(Next(*client), "4b");
  EXPECT_EQ(Next(*client), "4c");
  EXPECT_THAT(post.ReadToEnd(), EndsWith("ok"));
}

// With and without a word by the WebSocket that takes over, which makes the session look.
TEST_F(EngineTest, TakesWhatWasPostedWhileMuchWaitedForPolls) {
  for (const bool speaks : {true, false}) {
    const std::string query = OpenPolling();
    const uint64_t before = Counted().queued_bytes;
    TcpClient post(listener_->port());
    Ask(post, "POST", query,
        "4fill\x1e"
        "4b");
    EXPECT_TRUE(WaitUntil([&] { return Counted().queued_bytes > before + 1'000'000; }));
    const auto client = Upgraded(query);
    if (speaks) client->Send("4c", WebSocketClient::Kind::kText);
    EXPECT_EQ(Next(*client), "4fill");
    EXPECT_EQ(Next(*client).size(), 1'000'001u);
    EXPECT_EQ(Next(*client), "4b");
    if (speaks) {
      EXPECT_EQ(Next(*client), "4c");
    }
    EXPECT_THAT(post.ReadToEnd(), EndsWith("ok"));
  }
}

TEST_F(EngineTest, GivesItsProtocolTheTokenThatAClientShowsWhenItOpensItsSession) {
  const std::string query =
      "EIO=4&transport=polling&sid=" + SidIn(Ask("GET", "EIO=4&transport=polling&access_token=good-1"));
  EXPECT_EQ(Ask("POST", query, "4bearer"), "ok");
  EXPECT_EQ(Ask("GET", query), "4good-1");
  WebSocketClient client(listener_->port(), "/socket.io/?EIO=4&transport=websocket&access_token=good-2");
  EXPECT_THAT(Next(client), StartsWith("0{"));
  client.Send("4bearer", WebSocketClient::Kind::kText);
  EXPECT_EQ(Next(client), "4good-2");
  const auto upgraded = Upgraded(OpenPolling() + "&access_token=good-3");
  upgraded->Send("4bearer", WebSocketClient::Kind::kText);
  EXPECT_EQ(Next(*upgraded), "4good-3");
}

TEST_F(EngineTest, RefusesAClientWhoseTokenIsNotTaken) {
  EXPECT_THAT(Ask("GET", "EIO=4&transport=polling&access_token=junk"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Ask("GET", "EIO=4&transport=polling&access_token=a&access_token=b"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(engine_->sessions(), 0);
}

TEST_F(EngineTest, OneMachineHasAPartOfTheSessionsThatPoll) {
  Start({}, /*max_sessions=*/100, /*max_per_machine=*/2);
  const std::string first = OpenPolling();
  OpenPolling();
  EXPECT_THAT(Ask("GET", "EIO=4&transport=polling"), StartsWith("HTTP/1.1 429"));
  EXPECT_EQ(Ask("POST", first, "1"), "ok");
  EXPECT_TRUE(WaitUntil([&] { return Ask("GET", "EIO=4&transport=polling").starts_with("0{"); }));
}

TEST_F(EngineTest, ClientsThatDoNotPollAreBoundedTogether) {
  constexpr size_t kMost = 9'000'000;
  Start({}, /*max_sessions=*/100, /*max_per_machine=*/100, kMost);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Ask("POST", OpenPolling(), "4fill"), "ok");
  const net::Traffic counted = Counted();
  EXPECT_LE(counted.queued_bytes, kMost);
  EXPECT_GT(counted.queued_bytes, kMost / 3);
  EXPECT_GT(counted.closed(net::CloseReason::kSlow), 0u);
}

TEST_F(EngineTest, ClientsThatDoNotPollAndThoseThatDoNotReadAreBoundedTogether) {
  constexpr size_t kMost = 12'000'000;
  Start({}, /*max_sessions=*/100, /*max_per_machine=*/100, kMost);
  std::vector<std::unique_ptr<WebSocketClient>> slow;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(Ask("POST", OpenPolling(), "4fill"), "ok");
    slow.push_back(std::make_unique<WebSocketClient>(
        listener_->port(), "/socket.io/?EIO=4&transport=websocket", /*receive_buffer=*/4096));
    slow.back()->Send("4fill", WebSocketClient::Kind::kText);
  }
  EXPECT_TRUE(WaitUntil([&] {
    return counts_.fills == 24 && Counted().queued_bytes + listener_->traffic().queued_bytes <= kMost;
  }));
  const auto closed = [](const net::Traffic& traffic) { return traffic.closed(net::CloseReason::kSlow); };
  EXPECT_GT(closed(Counted()) + closed(listener_->traffic()), 0u);
}

TEST_F(EngineTest, CountsWhatPayloadsTakeBesideTheirBytes) {
  const std::string query = OpenPolling();
  EXPECT_EQ(Ask("POST", query, "4a"), "ok");
  EXPECT_EQ(Counted().queued_bytes, std::string_view("..4a").size() + net::kPayloadCost);
  EXPECT_EQ(Ask("GET", query), "4a");
  EXPECT_EQ(Counted().queued_bytes, 0u);
}

TEST_F(EngineTest, TakesAPostAsFarAsTheProtocolDoes) {
  const std::string query = OpenPolling();
  EXPECT_EQ(Ask("POST", query,
                "4a\x1e"
                "4pause\x1e"
                "4b\x1e"
                "4c"),
            "ok");
  EXPECT_EQ(Ask("GET", query),
            "4a\x1e"
            "4pause\x1e"
            "4b\x1e"
            "4c");
}

TEST_F(EngineTest, PingsAndClosesThoseWhoDoNotAnswer) {
  Start({.ping_interval = milliseconds(50), .ping_timeout = milliseconds(100)});
  WebSocketClient client(listener_->port(), "/socket.io/?EIO=4&transport=websocket");
  EXPECT_THAT(Next(client), StartsWith("0{"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Next(client), "2");
    client.Send("3", WebSocketClient::Kind::kText);
  }
  std::string last;
  for (last = Next(client); last == "2"; last = Next(client)) {
  }
  EXPECT_EQ(last, "close 1008 no ping or pong in time");

  const std::string query = OpenPolling();
  EXPECT_EQ(Ask("GET", query), "2");
  EXPECT_TRUE(WaitUntil([&] { return engine_->sessions() == 0; }));
  EXPECT_THAT(Ask("GET", query), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(counts_.closed, 2);
}

TEST_F(EngineTest, ByProtocol3TheClientPings) {
  Start({.ping_interval = milliseconds(50), .ping_timeout = milliseconds(100)});
  WebSocketClient client(listener_->port(), "/socket.io/?EIO=3&transport=websocket");
  EXPECT_THAT(Next(client), StartsWith("0{"));
  EXPECT_EQ(Next(client), "40");  // What connects Socket.IO, which the protocol here just says again.
  for (int i = 0; i < 5; ++i) {
    client.Send("2", WebSocketClient::Kind::kText);
    EXPECT_EQ(Next(client), "3");
  }
  EXPECT_EQ(Next(client), "close 1008 no ping or pong in time");
}

TEST_F(EngineTest, ClosesAPollingClientThatFloodsItWithPings) {
  const std::string query = "EIO=3&transport=polling&sid=" + SidIn(Ask("GET", "EIO=3&transport=polling"));
  std::string pings;
  for (int i = 0; i < 4096; ++i) pings += "1:2";
  const std::string answer = Ask("POST", query, pings);
  EXPECT_EQ(answer, "ok");
  EXPECT_LT(Counted().queued_bytes, 10'000u);
  EXPECT_TRUE(WaitUntil([this] { return Counted().closed(net::CloseReason::kFlood) == 1; }));
}

TEST_F(EngineTest, ClosesAWebSocketThatFloodsItWithPacketsOfTheEngine) {
  const struct { std::string_view eio, packet; } cases[] = {{"3", "2"}, {"3", "6"}, {"4", "3"}, {"4", "6"}};
  for (const auto& c : cases) {
    WebSocketClient client(listener_->port(), fmt::format("/socket.io/?EIO={}&transport=websocket", c.eio));
    for (int i = 0; i < 1'000; ++i) client.Send(c.packet, WebSocketClient::Kind::kText);
    int frames = 0;
    std::string next = Next(client);
    for (; !next.starts_with("close") && !next.empty(); next = Next(client)) ++frames;
    EXPECT_EQ(next, "close 1008 you send far more than a client may: slow down") << c.eio << " " << c.packet;
    EXPECT_LT(frames, 200);
  }
}

TEST_F(EngineTest, EndsTheConnectionOfAnOkHttpClientWithoutACloseFrame) {
  using std::string_view_literals::operator""sv;
  TcpClient client(listener_->port());
  client.Send(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUser-Agent: okhttp/3.12.12\r\n"
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  client.ReadUntil("\r\n\r\n");
  client.Send("\x81\x84\0\0\0\0004bye"sv);
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\x81\0044bye"));
  client.Close();
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 1; }));
}

TEST_F(EngineTest, ClosesAClientThatDoesNotPoll) {
  const std::string query = OpenPolling();
  EXPECT_EQ(Ask("POST", query, "4flood"), "ok");
  EXPECT_THAT(Ask("GET", query), StartsWith("HTTP/1.1 400"));
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 1; }));
}

TEST_F(EngineTest, TellsAPollThatTheSessionHasEnded) {
  const std::string query = OpenPolling();
  EXPECT_EQ(Ask("POST", query, "4bye"), "ok");
  // Unless the time for the last poll is over.
  EXPECT_THAT(Ask("GET", query), ::testing::AnyOf("4bye", StartsWith("HTTP/1.1 400")));
  EXPECT_THAT(Ask("GET", query), ::testing::AnyOf("1", StartsWith("HTTP/1.1 400")));
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 1; }));
  EXPECT_EQ(counts_.clean, 0);
  EXPECT_EQ(Ask("POST", OpenPolling(), "1"), "ok");
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 2; }));
  EXPECT_EQ(counts_.clean, 1);
}

TEST_F(EngineTest, BoundsTheSessionsThatPoll) {
  Start({}, /*max_sessions=*/2);
  OpenPolling();
  OpenPolling();
  EXPECT_THAT(Ask("GET", "EIO=4&transport=polling"), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(Counted().closed(net::CloseReason::kRefused), 1U);
}

TEST_F(EngineTest, CountsWhatComesAndGoesByPolls) {
  const std::string open = Ask("GET", "EIO=4&transport=polling");
  const std::string query = "EIO=4&transport=polling&sid=" + SidIn(open);
  EXPECT_EQ(Counted().sent_bytes, open.size());
  EXPECT_EQ(Ask("POST", query, "4hello"), "ok");
  EXPECT_GT(Counted().queued_bytes, std::string_view("4hello").size());
  EXPECT_EQ(Ask("GET", query), "4hello");
  EXPECT_EQ(Counted().received_bytes, std::string_view("4hello").size());
  EXPECT_EQ(Counted().sent_bytes, open.size() + std::string_view("ok4hello").size());
  EXPECT_EQ(Counted().queued_bytes, 0U);
  EXPECT_EQ(Ask("POST", query, "1"), "ok");
  EXPECT_EQ(Ask("POST", OpenPolling(), "4flood"), "ok");
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 2; }));
  EXPECT_EQ(Counted().closed(net::CloseReason::kClientLeft), 1U);
  EXPECT_EQ(Counted().closed(net::CloseReason::kSlow), 1U);
  EXPECT_EQ(Counted().queued_bytes, 0U);
}

TEST_F(EngineTest, LeavesWebSocketsToTheirListenersCount) {
  {
    WebSocketClient client(listener_->port(), "/socket.io/?EIO=4&transport=websocket");
    EXPECT_THAT(Next(client), StartsWith("0{"));
  }
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 1; }));
  EXPECT_EQ(Counted().sent_bytes, 0U);
  EXPECT_EQ(Counted().closes, net::Traffic().closes);
}

TEST_F(EngineTest, SaysGoodbyeWhenTheServerEnds) {
  const std::string query = OpenPolling();
  engine_->Drain("reconnect");
  EXPECT_TRUE(WaitUntil([this] { return counts_.closed == 1; }));
  EXPECT_THAT(Ask("GET", "EIO=4&transport=polling"), StartsWith("HTTP/1.1 503"));
}

TEST_F(EngineTest, EndsWithItsSessions) {
  OpenPolling();
  WebSocketClient client(listener_->port(), "/socket.io/?EIO=4&transport=websocket");
  EXPECT_THAT(Next(client), StartsWith("0{"));
  listener_.reset();
  engine_.reset();
  EXPECT_EQ(counts_.made, 2);
  EXPECT_EQ(counts_.closed, 2);
}

}  // namespace
}  // namespace hubbub::engine
