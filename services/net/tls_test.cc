// TLS on a listener's port: OpenSSL's own client, and clients that are hostile.
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/line_limit.h"
#include "services/net/frame.h"
#include "services/net/listener.h"
#include "services/net/testing/routes.h"
#include "services/net/testing/test_certificate.h"
#include "services/net/testing/tls_client.h"
#include "services/net/tls_context.h"
#include "services/testing/tcp_client.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"

namespace hubbub::net {
namespace {

using hubbub::testing::TcpClient;
using hubbub::testing::TestLog;
using hubbub::testing::WaitUntil;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Below the hard limit, and more than the kernel keeps for a client that does not read.
constexpr size_t kGulp = size_t{3} * 1024 * 1024;

// What kGulp answers: it differs at each place.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 + i / 251);
  return bytes;
}

// Sends everything back. A message that begins with kGulps is answered with kGulp bytes in pieces, one that
// begins with kFloods with more than the hard limit.
class SecureEcho final : public Protocol {
 public:
  static constexpr char kGulps = 2;
  static constexpr char kFloods = 3;

  explicit SecureEcho(Connection& connection) : connection_(connection) {}
  size_t OnBytes(std::string_view bytes, bool) override {
    if (bytes.empty()) return 0;
    if (bytes.front() == kGulps) {
      const std::string all = Pattern(kGulp);
      // Odd pieces, so that records begin and end within them.
      for (size_t at = 0, size = 1; at < all.size(); at += size, size = size % 40'000 + 997)
        Answer(all.substr(at, size));
    } else if (bytes.front() == kFloods) {
      for (size_t sent = 0; sent <= Connection::kHardLimit; sent += kGulp) Answer(std::string(kGulp, 'x'));
    } else {
      Answer(bytes);
    }
    return bytes.size();
  }
  void OnLastByte(std::string_view detail) override {
    Answer("owed");
    connection_.Close(CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view detail) override {
    connection_.Close(CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(CloseReason, std::string_view) override {}

 private:
  void Answer(std::string_view bytes) {
    auto answer = std::make_shared<std::string>();
    AppendFrame(connection_.framed() ? Framing::kBinary : Framing::kNone, *answer,
                [&](std::string& out) { out += bytes; });
    connection_.Send(std::move(answer));
  }

  Connection& connection_;
};

constexpr const char* kGet = "GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr const char* kUpgradeRequest =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

class Tls : public ::testing::Test {
 protected:
  Tls() : files_(MakeTestCertificate("first.example")), tls_(TlsContext::Open(files_.files()).value()) {
    options_.host = "127.0.0.1";
    options_.tls = tls_.get();
    options_.allow_plain = false;
  }

  // `home`: the loop on which WebSockets are to live; null: any.
  void Start(Loop* home = nullptr) {
    const ProtocolFactory protocol = {
        .make = [](Loop&, Connection& connection) { return std::make_unique<SecureEcho>(connection); },
        .refuse = [](std::string_view reason, bool) { return "no: " + std::string(reason); }};
    HttpRouter router = RoutesOf(protocol);
    if (home != nullptr) {
      router.AddWebSocket("/",
                          {.judge = [home, shared = std::make_shared<const ProtocolFactory>(protocol)](
                                        const HttpRequest&) -> std::variant<HttpResponse, WebSocketOpening> {
                            return WebSocketOpening{.protocol = shared, .loop = home};
                          }});
    }
    auto started = Listener::Start(loops_, options_, protocol, std::move(router));
    ASSERT_TRUE(started.ok()) << started.status();
    listener_ = *std::move(started);
  }
  uint16_t port() const { return listener_->port(); }
  uint64_t handshakes(TlsHandshake kind) const {
    return listener_->traffic().handshakes[static_cast<size_t>(kind)];
  }
  // The files are read once they have not changed for a while.
  void Reload() {
    tls_->Poll();
    tls_->Poll();
  }
  static void ExpectEcho(TlsClient& client, const std::string& bytes = "\x04 hello") {
    client.Send(bytes);
    EXPECT_EQ(client.Read(bytes.size()), bytes);
  }

  TestLog log_;
  TestCertificateFiles files_;
  std::unique_ptr<TlsContext> tls_;
  Loops loops_{2};
  ListenerOptions options_;
  std::unique_ptr<Listener> listener_;
};

std::string ErrorOf(const std::function<void()>& what) {
  try {
    what();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(Tls, TcpClientsOfBothVersionsAreServed) {
  Start();
  for (const auto& [version, name] :
       {std::pair(TLS1_2_VERSION, "TLSv1.2"), std::pair(TLS1_3_VERSION, "TLSv1.3")}) {
    TlsClient client(port(), {.version = version});
    EXPECT_EQ(client.protocol(), name);
    EXPECT_EQ(client.server_name(), "first.example");
    ExpectEcho(client);
    ExpectEcho(client, "\x04" + std::string(50'000, 'y'));
  }
  EXPECT_EQ(handshakes(TlsHandshake::kFull), 2U);
  EXPECT_EQ(handshakes(TlsHandshake::kFailed), 0U);
}

TEST_F(Tls, OlderVersionsAreRefused) {
  Start();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION})
    EXPECT_THAT(ErrorOf([&] { TlsClient(port(), {.version = version}); }), HasSubstr("protocol version"));
  EXPECT_TRUE(WaitUntil([&] { return handshakes(TlsHandshake::kFailed) == 2; }));
}

TEST_F(Tls, HttpIsServedWithAlpnAndWithout) {
  Start();
  for (const char* alpn : {"", "http/1.1"}) {
    TlsClient client(port(), {.alpn = alpn});
    EXPECT_EQ(client.alpn(), alpn);
    for (int i = 0; i < 2; ++i) {
      client.Send(kGet);
      EXPECT_THAT(client.ReadUntil("this is /page\n"), StartsWith("HTTP/1.1 200 "));
    }
    client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(), HasSubstr("this is /\n"));
    EXPECT_TRUE(client.got_close_notify());
  }
  EXPECT_THAT(ErrorOf([&] { TlsClient(port(), {.alpn = "h2"}); }), HasSubstr("no application protocol"));
}

TEST_F(Tls, AWebSocketIsServedAlsoOnAnotherLoopAndItsCloseIsAnswered) {
  Start(&loops_.at(1));
  for (int i = 0; i < 2; ++i) {  // One of them is accepted on each loop.
    TlsClient client(port());
    // With the first frame behind the request, which moves along.
    client.Send(kUpgradeRequest + std::string("\x82\x83\0\0\0\0one", 9));
    EXPECT_THAT(client.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    EXPECT_EQ(client.Read(5), "\x82\x03one");
    client.Send(std::string("\x82\x83\0\0\0\0two", 9));
    EXPECT_EQ(client.Read(5), "\x82\x03two");
    client.Send(std::string("\x88\x80\0\0\0\0", 6));
    EXPECT_EQ(client.ReadToEnd(), "\x82\x04owed\x88\x02\x03\xe8");
    EXPECT_TRUE(client.got_close_notify());
  }
}

TEST_F(Tls, WhatASlowClientIsSentComesWholeAndInOrder) {
  Start();
  TlsClient client(port(), {.receive_buffer = 4096});
  client.Send({&SecureEcho::kGulps, 1});
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes > 0; }));
  EXPECT_TRUE(client.Read(kGulp) == Pattern(kGulp));
  ExpectEcho(client);
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes == 0; }));
}

TEST_F(Tls, AClientThatDoesNotReadIsClosedAsSlow) {
  Start();
  TlsClient client(port(), {.receive_buffer = 4096});
  client.Send({&SecureEcho::kFloods, 1});
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kSlow) == 1; }));
  EXPECT_EQ(listener_->traffic().queued_bytes, 0U);
}

TEST_F(Tls, AClientThatSendsNoMoreIsStillToldWhatItIsOwed) {
  Start();
  for (const bool notifies : {true, false}) {
    TlsClient client(port());
    ExpectEcho(client);
    if (notifies) client.SendCloseNotify();
    client.socket().EndSending();
    EXPECT_EQ(client.ReadToEnd(), "owed");
    EXPECT_TRUE(client.got_close_notify());
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kClientLeft) == 2; }));
}

TEST_F(Tls, ATicketResumesASessionOnAnyLoopAndWithAnyCertificate) {
  Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(port(), {.version = version});
    ExpectEcho(first);
    EXPECT_FALSE(first.resumed());
    auto session = first.session();
    for (int i = 0; i < 2; ++i) {
      TlsClient again(port(), {.version = version, .session = session});
      ExpectEcho(again);
      EXPECT_TRUE(again.resumed());
      session = again.session();
    }
    files_.Write(MakeTestCertificate("second.example"));
    Reload();
    TlsClient later(port(), {.version = version, .session = session});
    EXPECT_TRUE(later.resumed());
  }
  EXPECT_TRUE(WaitUntil([&] { return handshakes(TlsHandshake::kResumed) == 6; }));
}

TEST_F(Tls, ACertificateThatChangesIsForThoseWhoComeAfterIt) {
  Start();
  TlsClient before(port());
  ExpectEcho(before);
  files_.Write(MakeTestCertificate("second.example", 2));
  const int64_t end = tls_->certificate_end();
  Reload();
  TlsClient after(port());
  EXPECT_EQ(after.server_name(), "second.example");
  EXPECT_GT(tls_->certificate_end(), end);
  ExpectEcho(before);
}

TEST_F(Tls, ACertificateThatCannotBeUsedIsSaidOnceAndTheOneBeforeStays) {
  Start();
  TestCertificate mixed = MakeTestCertificate("second.example");
  mixed.key = MakeTestCertificate("third.example").key;
  files_.Write(mixed);
  log_.Clear();
  for (int i = 0; i < 5; ++i) tls_->Poll();
  EXPECT_THAT(
      log_.lines(),
      AllOf(SizeIs(1), Each(AllOf(HasSubstr("cannot be used, so the one before stays in use: the key in"),
                                  HasSubstr(files_.files().key)))));
  EXPECT_EQ(TlsClient(port()).server_name(), "first.example");
}

TEST_F(Tls, WithoutTlsClientsAreToldToUseIt) {
  Start();
  for (const char* request : {kGet, kUpgradeRequest, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    TcpClient client(port());
    client.Send(request);
    EXPECT_THAT(client.ReadToEnd(),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("This port speaks TLS: use https://")));
  }
  TcpClient balancer(port());
  balancer.Send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(balancer.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  TcpClient pomelo(port());
  pomelo.Send("\x04 hello");
  EXPECT_EQ(pomelo.ReadToEnd(), "no: tls");
}

TEST_F(Tls, PlainClientsMayComeBesideItIfTheyAreAllowed) {
  options_.allow_plain = true;
  Start();
  TcpClient plain(port());
  plain.Send("\x04 hello");
  EXPECT_EQ(plain.Read(7), "\x04 hello");
  TlsClient secure(port());
  ExpectEcho(secure);
  TcpClient http(port());
  http.Send(kGet);
  EXPECT_THAT(http.ReadUntil("this is /page\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Tls, AProxyMaySayWhoTheClientIsBeforeTls) {
  options_.trusted_proxies = Networks::Parse({"127.0.0.1"}).value();
  Start();
  TlsClient client(port(), {.before = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 3050\r\n"});
  client.Send(kGet);
  EXPECT_THAT(client.ReadUntil("this is /page\n"), HasSubstr("X-Peer: 192.0.2.7:4711\r\n"));
}

TEST_F(Tls, NobodySaysWithinTlsWhoTheClientIs) {
  options_.trusted_proxies = Networks::Parse({"127.0.0.1"}).value();
  Start();
  TlsClient client(port());
  client.Send(std::string("PROXY TCP4 192.0.2.7 127.0.0.1 4711 3050\r\n") + kGet);
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(Tls, NoHandshakeFollowsTheFirst) {
  Start();
  TlsClient client(port(), {.version = TLS1_2_VERSION});
  ExpectEcho(client);
  EXPECT_FALSE(client.Renegotiate());
}

TEST_F(Tls, AClientMayChangeItsKeyButNotForEver) {
  Start();
  TlsClient client(port());
  ExpectEcho(client);
  for (int i = 0; i < TlsSession::kMostMessages / 2; ++i) client.UpdateKey();
  ExpectEcho(client);
  // It may be gone before the last of them.
  (void)ErrorOf([&] {
    for (int i = 0; i < 10 * TlsSession::kMostMessages; ++i) client.UpdateKey();
  });
  (void)ErrorOf([&] { EXPECT_EQ(client.ReadToEnd(), ""); });
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(Tls, TlsWithinTlsIsNoProtocol) {
  Start();
  TlsClient client(port());
  client.Send("\x16\x03\x01 again");
  EXPECT_EQ(ErrorOf([&] { EXPECT_EQ(client.ReadToEnd(), ""); }), "no error");
}

// A client hello that never ends: records of it, each as long as it may be.
std::string EndlessHello() {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += std::string("\x16\x03\x01\x40\0", 5);
    const std::string begin = i == 0 ? std::string("\x01\x01\xff\xff\x03\x03", 6) : std::string();
    bytes += begin + std::string(16'384 - begin.size(), 'h');
  }
  return bytes;
}

TEST_F(Tls, WhatIsNoHandshakeEndsThatClientAndNoOther) {
  Start();
  TlsClient innocent(port());
  ExpectEcho(innocent);
  const std::vector<std::string> hostile = {
      std::string("\x16"),
      "\x16garbage and more of it than a record's head has",
      std::string("\x16\x03\x01\0\x05hello", 10),
      std::string("\x16\x03\x01\0\xff\x01\0\0", 8),
      EndlessHello(),
  };
  for (const std::string& bytes : hostile) {
    TcpClient client(port());
    client.SendSome(bytes);
    client.EndSending();
    EXPECT_THAT(ErrorOf([&] { client.ReadToEnd(); }), ::testing::Not(HasSubstr("no answer")));
    ExpectEcho(innocent);
  }
  EXPECT_TRUE(WaitUntil([&] { return handshakes(TlsHandshake::kFailed) == hostile.size(); }));
  EXPECT_THAT(log_.lines(), ::testing::Contains(AllOf(StartsWith("TLS: the handshake of 127.0.0.1:"),
                                                      HasSubstr(" has failed: "))));
}

TEST_F(Tls, FailedHandshakesDoNotFillTheLog) {
  Start();
  log_.Clear();
  constexpr size_t kClients = 40;
  for (size_t i = 0; i < kClients; ++i) {
    TcpClient client(port());
    client.Send("\x16garbage");
    client.EndSending();
    ErrorOf([&] { client.ReadToEnd(); });
  }
  EXPECT_TRUE(WaitUntil([&] { return handshakes(TlsHandshake::kFailed) == kClients; }));
  // A second window of time may have begun.
  EXPECT_LE(log_.lines().size(), 2 * LineLimit::kLines);
}

TEST_F(Tls, AHandshakeThatTakesTooLongEnds) {
  options_.setup_timeout = milliseconds(200);
  Start();
  TcpClient silent(port());
  silent.Send(std::string("\x16\x03\x01\0\xff\x01\0\0", 8));
  EXPECT_EQ(silent.ReadToEnd(), "");
  EXPECT_TRUE(WaitUntil([&] { return handshakes(TlsHandshake::kFailed) == 1; }));
  TlsClient mute(port());  // Says nothing after it.
  EXPECT_EQ(mute.ReadToEnd(), "");
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(Tls, BytesThatWereChangedOnTheWayEndTheSession) {
  Start();
  TlsClient client(port());
  ExpectEcho(client);
  client.socket().Send(std::string("\x17\x03\x03\0\x20", 5) + std::string(32, 'z'));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kProtocolError) == 1; }));
}

TEST(TlsContext, WrongFilesAreNamedWithWhatIsWrong) {
  const TestCertificate good = MakeTestCertificate("a.example");
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const std::vector<std::pair<TestCertificate, std::string>> wrong = {
      {{.certificate = "", .key = good.key},
       "tls.crt holds no certificate that can be read as PEM: no start line"},
      {{.certificate = good.key, .key = good.key}, "tls.crt holds no certificate"},
      {{.certificate = good.certificate + good.certificate.substr(0, 200), .key = good.key},
       "tls.crt holds a certificate behind its first that cannot be read"},
      {{.certificate = good.certificate, .key = "x"}, "tls.key holds no private key that can be read as PEM"},
      {{.certificate = good.certificate, .key = encrypted}, "tls.key is encrypted"},
      {{.certificate = good.certificate, .key = MakeTestCertificate("b.example").key},
       "does not belong to the certificate in"},
  };
  for (const auto& [pair, what] : wrong) {
    const TestCertificateFiles files(pair);
    const auto opened = TlsContext::Open(files.files());
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(what));
  }
  const auto missing = TlsContext::Open({.certificate = "/none.crt", .key = "/none.key"});
  EXPECT_EQ(missing.status().message(), "/none.crt cannot be read: No such file or directory");
}

TEST(TlsContext, ACertificateThatHasEndedIsUsedWithAWarning) {
  const TestLog log;
  const TestCertificateFiles files(MakeTestCertificate("old.example", -1));
  ASSERT_TRUE(TlsContext::Open(files.files()).ok());
  EXPECT_THAT(log.lines(),
              ::testing::ElementsAre(AllOf(HasSubstr("old.example"), HasSubstr("has ended on"))));
}

TEST(TicketKeys, AKeyOpensTicketsForAsLongAgainAsItSealsThem) {
  TicketKeys keys;
  const Clock::time_point start = Clock::now();
  const auto first = keys.Newest(start);
  const auto almost = start + TicketKeys::kLife - std::chrono::seconds(1);
  EXPECT_EQ(keys.Newest(almost), first);
  const auto next = start + TicketKeys::kLife;
  EXPECT_NE(keys.Newest(next)->name, first->name);
  EXPECT_EQ(keys.Find(first->name, next), first);
  EXPECT_EQ(keys.Find(first->name, next + TicketKeys::kLife), nullptr);
}

TEST(TicketKeys, AfterALongSilenceNothingOldOpens) {
  TicketKeys keys;
  const Clock::time_point start = Clock::now();
  const auto first = keys.Newest(start);
  EXPECT_EQ(keys.Find(first->name, start + 2 * TicketKeys::kLife), nullptr);
}

}  // namespace
}  // namespace hubbub::net
