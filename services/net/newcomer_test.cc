// What a listener does before a client is a client: HTTP, and those who cannot stay.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/net/frame.h"
#include "services/net/http_head.h"
#include "services/net/listener.h"
#include "services/net/seats.h"
#include "services/net/testing/routes.h"
#include "services/testing/tcp_client.h"
#include "services/testing/wait.h"
#include "services/testing/web_socket_client.h"

namespace hubbub::net {
namespace {

using hubbub::testing::CloseText;
using hubbub::testing::TcpClient;
using hubbub::testing::WaitUntil;
using hubbub::testing::WebSocketClient;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Sends everything back.
class Echo final : public Protocol {
 public:
  explicit Echo(Connection& connection) : connection_(connection) {}
  size_t OnBytes(std::string_view bytes, bool) override {
    auto answer = std::make_shared<std::string>();
    AppendFrame(connection_.framed() ? Framing::kBinary : Framing::kNone, *answer,
                [&](std::string& out) { out += bytes; });
    if (!bytes.empty()) connection_.Send(std::move(answer));
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view detail) override {
    connection_.Close(CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(CloseReason, std::string_view) override {}

 private:
  Connection& connection_;
};

constexpr const char* kUpgrade =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
// What RFC 6455 (1.3) has for this key.
constexpr const char* kAccept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

// The kick package of those who cannot stay.
std::string Kick(std::string_view reason) {
  const std::string json = "{\"reason\":\"" + std::string(reason) + "\"}";
  return std::string("\5\0\0", 3) + static_cast<char>(json.size()) + json;
}
std::string Refuse(std::string_view reason, bool framed) {
  std::string bytes;
  AppendFrame(framed ? Framing::kBinary : Framing::kNone, bytes,
              [&](std::string& out) { out += Kick(reason); });
  return bytes;
}

class NewcomerTest : public ::testing::Test {
 protected:
  void Listen(ListenerOptions options = {}) {
    options.host = "127.0.0.1";
    const ProtocolFactory protocol = {
        .make = [](Loop&, Connection& connection) { return std::make_unique<Echo>(connection); },
        .refuse = Refuse};
    auto listener = Listener::Start(loops_, options, protocol, RoutesOf(protocol));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  uint16_t port() const { return listener_->port(); }

  // What a new client gets that says this.
  std::string Answer(std::string_view request) {
    TcpClient client(port());
    client.Send(request);
    return client.ReadToEnd();
  }
  std::string Get(const std::string& path) {
    return Answer("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }

  Loops loops_{2};
  std::unique_ptr<Listener> listener_;
};

TEST_F(NewcomerTest, EveryAnswerIsWholeAndSaysThatItIsTheLast) {
  Listen();
  const struct {
    const char* what;
    std::string request;
    std::vector<std::string> parts;  // All in the answer.
  } cases[] = {
      {"a page",
       "GET /page?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
       {" 200 OK\r\n", "\r\n\r\nthis is /page?x=1\n"}},
      {"absolute form",
       "GET http://h/page HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
       {" 200 ", "this is /page\n"}},
      {"empty lines before",
       "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
       {" 200 ", "this is /\n"}},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", {" 200 OK\r\n", "\r\n\r\nthis is /\n"}},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", {" 400 ", "no Host"}},
      {"POST, whose body does not come",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n",
       {" 405 ", "Allow: GET, HEAD\r\n"}},
      {"a body that need not be sent",
       "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
       {" 200 "}},
      {"a large POST",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'z'),
       {" 405 "}},
      {"no HTTP", "GARBAGE\r\n\r\n", {" 400 Bad Request\r\n", "request line"}},
      {"a long line", "GET /" + std::string(100'000, 'x'), {" 414 ", "16384 bytes"}},
      {"a large head", "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'), {" 431 ", "32768 bytes"}},
      {"a large body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", {" 413 "}},
      {"HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {" 505 "}},
      {"another WebSocket",
       "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
       "8\r\n\r\n",
       {" 426 ", "Sec-WebSocket-Version: 13\r\n", "Connection: Upgrade\r\n"}},
      {"health",
       "GET /healthz?from=lb HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
       {" 200 OK\r\n", "Cache-Control: no-store\r\n", "\r\n\r\nok\n"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string answer = Answer(c.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 "));
    for (const std::string& part : c.parts) EXPECT_THAT(answer, HasSubstr(part));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: "));
    EXPECT_THAT(answer, ::testing::ContainsRegex("\r\nDate: [A-Z][a-z][a-z], [0-9][0-9] .* GMT\r\n"));
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(NewcomerTest, HeadIsToldAllButTheBody) {
  Listen();
  for (const char* path : {"/page", "/healthz"}) {
    const std::string get = Get(path);
    const std::string head =
        Answer("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
    const auto length = [](const std::string& answer) {
      return answer.substr(answer.find("Content-Length"), answer.find("Connection: close"));
    };
    EXPECT_THAT(get, StartsWith(head.substr(0, head.find("Date:"))));
    EXPECT_EQ(length(head).substr(0, 18), length(get).substr(0, 18));
  }
  const std::string refused = Answer("\r\nHEAD / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(refused.ends_with("\r\n\r\n")) << refused;
}

TEST_F(NewcomerTest, ARequestThatStopsHalfWayIsToldSo) {
  Listen({.setup_timeout = milliseconds(50)});
  EXPECT_THAT(Answer("GET / HTTP/1.1\r\nHost: h\r\n"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(Answer(""), "") << "nobody knows what this one speaks";
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(NewcomerTest, UpgradesInAllForms) {
  Listen();
  const std::string whole =
      std::string("\r\n") + kUpgrade +
      "Connection: keep-alive\r\nUpgrade: h2c\r\nSec-WebSocket-Protocol: x, pomelo\r\n\r\n";
  for (const size_t step : {size_t{1}, size_t{7}, whole.size()}) {
    SCOPED_TRACE(step);
    TcpClient client(port());
    for (size_t at = 0; at < whole.size(); at += step) client.Send(std::string_view(whole).substr(at, step));
    const std::string answer = client.ReadUntil("\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(answer, HasSubstr(kAccept));
    EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Protocol: pomelo\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nDate: "));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
    client.Send(std::string("\x82\x82\0\0\0\0\1a", 8));
    EXPECT_EQ(client.Read(4), "\x82\2\1a");
  }
  TcpClient plain(port());
  plain.Send(std::string(kUpgrade) + "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x\r\n\r\n");
  const std::string answer = plain.ReadUntil("\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, Not(HasSubstr("Sec-WebSocket-Protocol")));
  EXPECT_THAT(answer, Not(HasSubstr("Sec-WebSocket-Extensions")));
}

// RFC 6455 (4.1) has a client wait for the answer; not all do.
TEST_F(NewcomerTest, FramesMayComeRightBehindTheRequest) {
  Listen();
  const auto frame = [](const std::string& body) {
    std::string bytes("\x82\xfe", 2);
    bytes += static_cast<char>(body.size() >> 8);
    bytes += static_cast<char>(body.size() & 0xff);
    return bytes + std::string(4, '\0') + body;
  };
  // The request's size decides where it ends in what is read at a time.
  for (const size_t padding : {0, 700, 850, 900, 1500}) {
    SCOPED_TRACE(padding);
    TcpClient client(port());
    const std::string one(1'000, 'a');
    const std::string two(3'000, 'b');
    client.Send(std::string(kUpgrade) + "X: " + std::string(padding, 'x') + "\r\n\r\n" + frame(one) +
                frame(two));
    EXPECT_THAT(client.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    EXPECT_EQ(client.Read(4 + one.size()).substr(4), one);
    EXPECT_EQ(client.Read(4 + two.size()).substr(4), two);
  }
}

TEST_F(NewcomerTest, AFullServerTellsWhy) {
  Listen({.max_connections = 1, .setup_timeout = milliseconds(500)});
  auto stays = std::make_unique<TcpClient>(port());
  stays->Send("\1on");
  EXPECT_EQ(stays->Read(3), "\1on");
  EXPECT_TRUE(listener_->full());

  EXPECT_EQ(Answer("\1on"), Kick("full"));
  WebSocketClient ws(port());
  const auto kick = ws.Read();
  EXPECT_EQ(kick.kind, WebSocketClient::Kind::kBinary);
  EXPECT_EQ(kick.body, Kick("full"));
  EXPECT_EQ(CloseText(ws.Read()), "1013 full");
  ws.socket().Close();
  EXPECT_THAT(Get("/"),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: "), HasSubstr("Try again")));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 ")) << "full is not ill";
  EXPECT_EQ(TcpClient(port()).ReadToEnd(), Kick("full")) << "one that says nothing may wait for a word";
  EXPECT_EQ(listener_->connections(), 1);
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kRefused) == 3; }));

  stays.reset();
  EXPECT_TRUE(WaitUntil([&] { return !listener_->full(); }));
  TcpClient next(port());
  next.Send("\1on");
  EXPECT_EQ(next.Read(3), "\1on");
}

TEST_F(NewcomerTest, AFloodOfThoseWhoCanNotStayIsBounded) {
  Listen({.max_connections = 1});
  TcpClient stays(port());
  EXPECT_TRUE(WaitUntil([&] { return listener_->full(); }));
  std::vector<std::unique_ptr<TcpClient>> guests;
  for (int i = 0; i < Seats::MostGuests(1); ++i) guests.push_back(std::make_unique<TcpClient>(port()));
  // At once, and not when its time is over.
  EXPECT_EQ(TcpClient(port()).ReadToEnd(), "");
  stays.Send("\1on");
  EXPECT_EQ(stays.Read(3), "\1on");
}

TEST_F(NewcomerTest, AServerThatDrainsAnswersHttpAndTakesNobody) {
  Listen({.setup_timeout = seconds(3600)});
  TcpClient silent(port());
  TcpClient half(port());
  half.Send("GET /page HT");
  WebSocketClient stays(port());
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 3; }));
  listener_->Drain("reconnect");
  EXPECT_EQ(listener_->connections(), 1) << "nobody waits for those who have not begun";

  EXPECT_THAT(Get("/healthz"), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Cache-Control: no-store\r\n")));
  EXPECT_THAT(Answer("HEAD /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Get("/page"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("this is /page\n")));
  EXPECT_EQ(Answer("\1on"), Kick("reconnect"));
  silent.Send("\1on");
  EXPECT_EQ(silent.ReadToEnd(), Kick("reconnect"));
  half.Send("TP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(half.ReadToEnd(), HasSubstr("this is /page\n"));
  WebSocketClient late(port());
  EXPECT_EQ(late.Read().body, Kick("reconnect"));
  EXPECT_EQ(CloseText(late.Read()), "1013 reconnect");

  stays.Send("\1on");
  EXPECT_EQ(stays.Read().body, "\1on") << "who is here is served until CloseAll";
  std::thread closer([&] { listener_->CloseAll("reconnect", seconds(20)); });
  EXPECT_EQ(CloseText(stays.Read()), "1001 reconnect");
  stays.socket().Close();
  closer.join();
  EXPECT_EQ(listener_->connections(), 0);
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 503 ")) << "until the listener ends";
}

// What a proxy says before a request; the request is the last of its connection.
TEST_F(NewcomerTest, AProxyThatIsTrustedSaysWhoItsClientIs) {
  Listen({.trusted_proxies = Networks::Parse({"127.0.0.0/8", "10.0.0.0/8"}).value()});
  const auto get = [](const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + fields + "\r\n";
  };
  const std::string binary = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16) +
                             std::string("\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x0b\xea", 12);
  const std::string line = "PROXY TCP4 192.0.2.1 10.0.0.1 12345 3050\r\n";
  const struct {
    const char* what;
    std::string request;
    const char* peer;
  } cases[] = {
      {"nothing", get(""), "X-Peer: 127.0.0.1:"},
      {"version 1", line + get(""), "X-Peer: 192.0.2.1:12345\r\n"},
      {"version 2", binary + get(""), "X-Peer: 192.0.2.1:12345\r\n"},
      {"a proxy's probe", "PROXY UNKNOWN\r\n" + get(""), "X-Peer: 127.0.0.1:"},
      {"a field", get("X-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n"), "X-Peer: 192.0.2.7:0\r\n"},
      {"a proxy before a proxy",
       "PROXY TCP4 10.0.0.2 10.0.0.1 12345 3050\r\n" + get("X-Forwarded-For: 192.0.2.7\r\n"),
       "X-Peer: 192.0.2.7:0\r\n"},
      {"two requests of two clients",
       "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n" + get(""), "X-Peer: 127.0.0.1:"},
  };
  for (const auto& one : cases) EXPECT_THAT(Answer(one.request), HasSubstr(one.peer)) << one.what;
  TcpClient client(port());
  client.Send(line + "\1");
  EXPECT_EQ(client.Read(1), "\1");
  EXPECT_EQ(Answer("PROXY nonsense\r\n" + get("")), "");
}

TEST_F(NewcomerTest, AHeaderOfAProxyMayComeInPieces) {
  Listen({.trusted_proxies = Networks::Parse({"127.0.0.1"}).value()});
  TcpClient client(port());
  for (const char byte : std::string("PROXY TCP4 192.0.2.1 10.0.0.1 12345 3050\r\n"))
    client.Send(std::string(1, byte));
  client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("X-Peer: 192.0.2.1:12345\r\n"));
}

TEST_F(NewcomerTest, NobodyElseSaysWhoAClientIs) {
  Listen({.trusted_proxies = Networks::Parse({"192.0.2.0/24"}).value()});
  EXPECT_THAT(Answer("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"),
              HasSubstr("X-Peer: 127.0.0.1:"));
  EXPECT_THAT(Answer("PROXY TCP4 192.0.2.1 10.0.0.1 12345 3050\r\nGET / HTTP/1.1\r\n\r\n"),
              HasSubstr(" 400 "));
}

}  // namespace
}  // namespace hubbub::net
