// HTTP over real sockets: connections that are kept, bodies, and handlers that answer later.
#include "services/net/http_session.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/net/listener.h"
#include "services/net/seats.h"
#include "services/testing/tcp_client.h"
#include "services/testing/wait.h"

namespace hubbub::net {
namespace {

using hubbub::testing::TcpClient;
using hubbub::testing::WaitUntil;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kMaxBody = 1'000;

// Says nothing, and closes when its client does.
class Silent final : public Protocol {
 public:
  explicit Silent(Connection& connection) : connection_(connection) {}
  size_t OnBytes(std::string_view bytes, bool) override { return bytes.size(); }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view) override {}
  void OnClosed(CloseReason, std::string_view) override {}

 private:
  Connection& connection_;
};

// Replies that a test has to give.
class Replies {
 public:
  void Add(HttpReply reply) {
    MutexLock lock(mu_);
    replies_.push_back(std::move(reply));
  }
  size_t size() {
    MutexLock lock(mu_);
    return replies_.size();
  }
  // The oldest one.
  HttpReply Take() {
    EXPECT_TRUE(WaitUntil([this] { return size() > 0; }));
    MutexLock lock(mu_);
    HttpReply reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }

 private:
  Mutex mu_;
  std::deque<HttpReply> replies_ ABSL_GUARDED_BY(mu_);
};

class HttpSessionTest : public ::testing::Test {
 protected:
  void Listen(ListenerOptions options = {}) {
    options.host = "127.0.0.1";
    const ProtocolFactory protocol = {
        .make = [](Loop&, Connection& connection) { return std::make_unique<Silent>(connection); },
        .refuse = [](std::string_view reason, bool) { return std::string(reason); }};
    HttpRouter router;
    router.AddWebSocket("/ws/", {.protocol = protocol});
    router.Add(
        "/page", {.handler = [](const HttpRequest& request) {
          return HttpResponse{.body = "this is " + request.target + "\n", .headers = {{"ETag", "\"1\""}}};
        }});
    router.Add("/file", {.handler = [](const HttpRequest&) {
                 return HttpResponse{.headers = {{"ETag", "\"2\""}}, .constant_body = "a file"};
               }});
    router.Add("/echo",
               {.handler = [](const HttpRequest& request) { return HttpResponse{.body = request.body}; },
                .methods = {"POST"},
                .max_body_bytes = kMaxBody});
    router.Add("/later", {.handler =
                              [this](Loop& loop, HttpRequest, HttpReply reply) {
                                loop.AssertHere();
                                replies_.Add(std::move(reply));
                              },
                          .methods = {"GET", "HEAD", "POST"}});
    router.Add("/now", {.handler = [](Loop&, const HttpRequest& request, HttpReply reply) {
                 reply.Send({.body = "for " + request.peer.substr(0, 10)});
               }});
    router.Add("/never", {.handler = [](Loop&, HttpRequest, HttpReply) {}});
    auto listener = Listener::Start(loops_, options, protocol, std::move(router));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  uint16_t port() const { return listener_->port(); }

  Replies replies_;
  Loops loops_{2};
  std::unique_ptr<Listener> listener_;
};

// Requests with nothing but what HTTP/1.1 demands.
std::string Get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string Post(const std::string& path, const std::string& fields, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

// Reads one answer: its status, whether more may follow, and its body. "" if the server has closed.
std::string ReadAnswer(TcpClient& client, bool to_head = false) {
  const std::string head = client.ReadUntil("\r\n\r\n");
  if (head.empty()) return "";
  const bool kept = head.find("\r\nConnection: keep-alive\r\n") != std::string::npos;
  EXPECT_NE(kept, head.find("\r\nConnection: close\r\n") != std::string::npos) << head;
  std::string answer = head.substr(9, 3) + (kept ? " kept " : " last ");
  const size_t length = head.find("\r\nContent-Length: ");
  if (length != std::string::npos && !to_head) answer += client.Read(std::stoul(head.substr(length + 18)));
  return answer;
}

TEST_F(HttpSessionTest, RequestsFollowEachOtherInOrder) {
  Listen();
  const std::vector<std::string> requests = {
      Get("/page?1"),
      Post("/echo", "Content-Length: 3\r\n", "abc"),
      Get("/page?2", "Content-Length: 5\r\n") + "GET /",
      "\r\n" + Get("/now"),
      Post("/echo", "Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1;x\r\nc\r\n0\r\nTrailer: y\r\n\r\n"),
      "HEAD /page HTTP/1.1\r\nHost: h\r\n\r\n",
      Get("/page", "If-None-Match: \"1\"\r\n"),
      Get("/file"),
      "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n",
      Get("/file", "If-None-Match: \"2\"\r\n"),
      Get("/page?3", "Connection: close\r\n"),
      Get("/page?4")};
  std::string all;
  for (const std::string& request : requests) all += request;
  for (const size_t step : {size_t{1}, size_t{7}, size_t{100}, all.size()}) {
    SCOPED_TRACE(step);
    TcpClient client(port());
    for (size_t at = 0; at < all.size(); at += step) client.Send(std::string_view(all).substr(at, step));
    EXPECT_EQ(ReadAnswer(client), "200 kept this is /page?1\n");
    EXPECT_EQ(ReadAnswer(client), "200 kept abc");
    EXPECT_EQ(ReadAnswer(client), "200 kept this is /page?2\n") << "a body of GET is no request";
    EXPECT_EQ(ReadAnswer(client), "200 kept for 127.0.0.1:") << "of /now";
    EXPECT_EQ(ReadAnswer(client), "200 kept abc");
    EXPECT_EQ(ReadAnswer(client, /*to_head=*/true), "200 kept ");
    EXPECT_EQ(ReadAnswer(client), "304 kept ");
    EXPECT_EQ(ReadAnswer(client), "200 kept a file");
    EXPECT_EQ(ReadAnswer(client, /*to_head=*/true), "200 kept ");
    EXPECT_EQ(ReadAnswer(client), "304 kept ");
    EXPECT_EQ(ReadAnswer(client), "200 last this is /page?3\n");
    EXPECT_EQ(client.ReadToEnd(), "") << "what follows the last request is not answered";
  }
}

TEST_F(HttpSessionTest, SaysWhetherTheConnectionStays) {
  Listen();
  const struct {
    const char* what;
    std::string request;
    const char* answer;
  } cases[] = {
      {"HTTP/1.1", Get("/page"), "200 kept "},
      {"close", Get("/page", "Connection: Close\r\n"), "200 last "},
      {"close among others", Get("/page", "Connection: x, close\r\nConnection: keep-alive\r\n"), "200 last "},
      {"HTTP/1.0", "GET /page HTTP/1.0\r\n\r\n", "200 last "},
      {"HTTP/1.0 that asks for it", "GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 kept "},
      {"health", Get("/healthz"), "200 kept "},
      {"no such path", Get("/none"), "404 last "},
      {"another method", Post("/page", "", ""), "405 last "},
      {"a method that nobody knows", "BREW /page HTTP/1.1\r\nHost: h\r\n\r\n", "501 last "},
      {"no body where one may be", Post("/echo", "", ""), "200 kept "},
      {"a body that is too large", Post("/echo", "Content-Length: 1001\r\n", ""), "413 last "},
      {"chunks that are too large", Post("/echo", "Transfer-Encoding: chunked\r\n", "3e9\r\nx"), "413 last "},
      {"chunks that are none", Post("/echo", "Transfer-Encoding: chunked\r\n", "hello\r\n"), "400 last "},
      {"both framings",
       Post("/echo", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + Get("/page")),
       "400 last "},
      {"two lengths", Post("/echo", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello" + Get("/page")),
       "400 last "},
      {"an encoding in disguise",
       Post("/echo",
            "Transfer-Encoding: \x0b"
            "chunked\r\n",
            "0\r\n\r\n"),
       "400 last "},
      {"a field with a space before the colon", Post("/echo", "Content-Length : 5\r\n", "hello"),
       "400 last "},
      {"a folded field", Post("/echo", "X: y\r\n Content-Length: 5\r\n", "hello"), "400 last "},
      {"a reply that is dropped", Get("/never"), "500 kept "},
      {"a WebSocket's path", Get("/ws/"), "404 last "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    TcpClient client(port());
    client.Send(c.request);
    const std::string answer = ReadAnswer(client);
    EXPECT_THAT(answer, StartsWith(c.answer));
    if (answer.find(" last ") != std::string::npos) {
      EXPECT_EQ(client.ReadToEnd(), "");
      continue;
    }
    client.Send(Get("/page?again"));
    EXPECT_EQ(ReadAnswer(client), "200 kept this is /page?again\n");
  }
}

TEST_F(HttpSessionTest, TellsTheMethodsOfARoute) {
  Listen();
  for (const auto& [path, methods, sentence] :
       {std::tuple("/echo", "Allow: POST\r\n", "Only POST is served here.\n"),
        std::tuple("/later", "Allow: GET, HEAD, POST\r\n", "Only GET, HEAD and POST are served here.\n")}) {
    TcpClient client(port());
    client.Send("PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr(methods), HasSubstr(sentence)));
  }
}

TEST_F(HttpSessionTest, AClientMayWaitForTheWordToSendItsBody) {
  Listen();
  const std::string fields = "Content-Length: 3\r\nExpect: 100-continue\r\n";
  TcpClient waits(port());
  waits.Send(Post("/echo", fields, ""));
  EXPECT_EQ(waits.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  waits.Send("abc");
  EXPECT_EQ(ReadAnswer(waits), "200 kept abc");
  waits.Send(Post("/echo", fields, "def"));
  EXPECT_EQ(ReadAnswer(waits), "200 kept def") << "what is here already is not asked for";
  waits.Send(Post("/echo", "Content-Length: 5000\r\nExpect: 100-continue\r\n", ""));
  EXPECT_THAT(ReadAnswer(waits), StartsWith("413 last "));
}

TEST_F(HttpSessionTest, AHandlerMayAnswerLater) {
  Listen();
  TcpClient client(port());
  client.Send(Get("/later") + Get("/page"));
  HttpReply reply = replies_.Take();
  // On another thread than the connection's.
  reply.Send({.body = "late"});
  EXPECT_EQ(ReadAnswer(client), "200 kept late");
  EXPECT_EQ(ReadAnswer(client), "200 kept this is /page\n") << "it has waited for its turn";
  client.Send("HEAD /later HTTP/1.1\r\nHost: h\r\n\r\n" + Post("/later", "Content-Length: 1\r\n", "x"));
  replies_.Take().Send({.body = "to HEAD"});
  EXPECT_EQ(ReadAnswer(client, /*to_head=*/true), "200 kept ");
  { const HttpReply dropped = replies_.Take(); }
  EXPECT_THAT(ReadAnswer(client), StartsWith("500 kept "));
}

TEST_F(HttpSessionTest, AHandlerThatNeverAnswersIsNotWaitedForForEver) {
  Listen({.http = {.handler = milliseconds(50)}});
  TcpClient client(port());
  client.Send(Get("/later") + Get("/page"));
  EXPECT_THAT(ReadAnswer(client), StartsWith("504 kept "));
  EXPECT_EQ(ReadAnswer(client), "200 kept this is /page\n");
  replies_.Take().Send({.body = "too late"});
  client.Send(Get("/page?2", "Connection: close\r\n"));
  EXPECT_EQ(ReadAnswer(client), "200 last this is /page?2\n");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpSessionTest, AReplyOutlivesItsClientAndItsListener) {
  Listen({.setup_timeout = seconds(3600), .http = {.handler = seconds(3600)}});
  for (const bool reset : {true, false}) {
    TcpClient client(port());
    client.Send(Get("/later"));
    HttpReply reply = replies_.Take();
    EXPECT_EQ(listener_->connections(), 1);
    if (reset) {
      client.Reset();
      EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; })) << "nothing is owed to it";
    } else {
      client.Close();
    }
    reply.Send({.body = "for nobody"});
    EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  }
  TcpClient client(port());
  client.Send(Get("/later"));
  HttpReply sent = replies_.Take();
  TcpClient other(port());
  other.Send(Get("/later"));
  std::optional<HttpReply> dropped(replies_.Take());
  listener_.reset();
  EXPECT_EQ(client.ReadToEnd(), "");
  sent.Send({.body = "for nobody"});
  dropped.reset();
}

TEST_F(HttpSessionTest, EveryWaitIsBounded) {
  const struct {
    const char* what;
    std::string request;
    std::vector<const char*> answers;  // How they begin, until the server closes.
  } cases[] = {
      {"a request that does not go on", Get("/page"), {"200 kept "}},
      {"an empty line is no request", Get("/page") + "\r\n", {"200 kept "}},
      {"half a head", Get("/page") + "GET /pa", {"200 kept ", "408 last "}},
      {"half a body", Post("/echo", "Content-Length: 5\r\n", "hell"), {"408 last "}},
      {"a chunk without an end", Post("/echo", "Transfer-Encoding: chunked\r\n", "5\r\nhell"), {"408 last "}},
      {"a body of GET", Get("/page", "Content-Length: 5\r\n"), {"408 last "}},
  };
  Listen({.setup_timeout = milliseconds(100), .http = {.idle = milliseconds(100)}});
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    TcpClient client(port());
    client.Send(c.request);
    for (const char* answer : c.answers) EXPECT_THAT(ReadAnswer(client), StartsWith(answer));
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(HttpSessionTest, AConnectionHasAMostOfRequestsAndAnAge) {
  Listen({.http = {.requests = 3}});
  TcpClient client(port());
  client.Send(Get("/page") + Get("/page") + Get("/page") + Get("/page"));
  for (const char* answer : {"200 kept ", "200 kept ", "200 last "})
    EXPECT_THAT(ReadAnswer(client), StartsWith(answer));
  EXPECT_EQ(client.ReadToEnd(), "");
  listener_.reset();
  Listen({.http = {.age = milliseconds(0)}});
  TcpClient old(port());
  old.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(old), StartsWith("200 last "));
}

TEST_F(HttpSessionTest, AConnectionThatIsKeptTakesNobodysPlace) {
  Listen({.max_connections = 1});
  TcpClient kept(port());
  kept.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(kept), StartsWith("200 kept "));
  EXPECT_EQ(listener_->connections(), 0);
  EXPECT_FALSE(listener_->full());
  auto stays = std::make_unique<TcpClient>(port());
  stays->Send("\1");
  ASSERT_TRUE(WaitUntil([&] { return listener_->full(); }));
  kept.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(kept), StartsWith("200 kept ")) << "it needs no place";

  const std::string upgrade = Get("/ws/",
                                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                                  "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
  kept.Send(upgrade);
  EXPECT_THAT(kept.ReadToEnd(), AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("full"))) << "but a player does";
  TcpClient guest(port());
  guest.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(guest), StartsWith("503 last "));

  stays.reset();
  ASSERT_TRUE(WaitUntil([&] { return !listener_->full(); }));
  TcpClient player(port());
  player.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(player), StartsWith("200 kept "));
  player.Send(upgrade);
  EXPECT_THAT(player.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(listener_->connections(), 1);
}

TEST_F(HttpSessionTest, OfTheConnectionsThatAreKeptAMachineLosesItsOldest) {
  Listen({.max_connections = 100});
  const size_t part = Seats::MostKeptOfOne(100);
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (size_t i = 0; i < part; ++i) {
    clients.push_back(std::make_unique<TcpClient>(port()));
    clients.back()->Send(Get("/page"));
    EXPECT_THAT(ReadAnswer(*clients.back()), StartsWith("200 kept ")) << i;
  }
  // The oldest one has an answer to come.
  clients.front()->Send(Get("/later"));
  HttpReply reply = replies_.Take();
  for (size_t i = 0; i < part; ++i) {
    TcpClient more(port());
    more.Send(Get("/page"));
    EXPECT_THAT(ReadAnswer(more), StartsWith("200 kept "));
    more.Send(Get("/page"));
    EXPECT_THAT(ReadAnswer(more), StartsWith("200 kept "));
    clients.push_back(std::make_unique<TcpClient>(port()));
    clients.back()->Send(Get("/page"));
    EXPECT_THAT(ReadAnswer(*clients.back()), StartsWith("200 kept "));
  }
  for (size_t i = 1; i < part; ++i) EXPECT_EQ(clients[i]->ReadToEnd(), "") << i;
  reply.Send({.body = "late"});
  EXPECT_EQ(ReadAnswer(*clients.front()), "200 last late");
  clients.back()->Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(*clients.back()), StartsWith("200 kept "));
}

TEST_F(HttpSessionTest, AServerThatDrainsKeepsNoConnection) {
  Listen();
  TcpClient kept(port());
  kept.Send(Get("/healthz"));
  EXPECT_THAT(ReadAnswer(kept), StartsWith("200 kept "));
  TcpClient waits(port());
  waits.Send(Get("/later"));
  HttpReply reply = replies_.Take();
  listener_->Drain("reconnect");
  kept.Send(Get("/healthz"));
  EXPECT_THAT(ReadAnswer(kept), StartsWith("503 last "));
  reply.Send({.body = "late"});
  EXPECT_EQ(ReadAnswer(waits), "200 last late");
  TcpClient fresh(port());
  fresh.Send(Get("/page"));
  EXPECT_THAT(ReadAnswer(fresh), StartsWith("200 last "));
}

}  // namespace
}  // namespace hubbub::net
