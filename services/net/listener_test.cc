#include "services/net/listener.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/net/frame.h"
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
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using FrameKind = WebSocketClient::Kind;

// What became of the connections, seen from the test's thread.
class Record {
 public:
  void Add(std::string line) {
    MutexLock lock(mu_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() {
    MutexLock lock(mu_);
    return lines_;
  }

 private:
  Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

constexpr size_t kGulp = size_t{600} * 1024;  // Between the soft and the hard limit.

// Does what the first byte of the client's bytes says; the first byte of a TCP client must be 1 to 5.
class TestProtocol final : public Protocol {
 public:
  static constexpr char kEcho = 1;   // The rest comes back.
  static constexpr char kGulps = 2;  // This byte is answered with kGulp bytes.
  static constexpr char kFlood = 3;  // More than the hard limit is sent in one go.
  static constexpr char kClose = 4;  // A part of kGulp bytes is sent, then the connection closes.
  static constexpr char kHalf = 5;   // Taken together with the next byte, unless that is the same.
  static constexpr char kPart = 6;   // Answered with kPartBytes, below the soft limit.
  static constexpr char kAllow = 7;  // From now on messages may have kAllowedBytes.
  static constexpr char kWhole = 8;  // Answered once kWholeBytes are there.
  static constexpr size_t kPartBytes = size_t{200} * 1024;
  static constexpr size_t kAllowedBytes = 8192;
  static constexpr size_t kWholeBytes = 6000;

  TestProtocol(Connection& connection, Record& record, CloseReason reason, std::string detail)
      : connection_(connection), record_(record), reason_(reason), detail_(std::move(detail)) {}

  size_t OnBytes(std::string_view bytes, bool frame_end) override {
    if (connection_.Stalled()) record_.Add("read from a client that is stalled");
    if (bytes.empty()) {
      record_.Add(frame_end ? "an empty frame" : "no bytes");
      return 0;
    }
    switch (bytes.front()) {
      case kGulps:
        // One at a time, as a session takes its requests.
        connection_.Pause();
        Send(kGulp);
        connection_.Resume();
        return 1;
      case kPart:
        Send(kPartBytes);
        return bytes.size();
      case kAllow:
        connection_.AllowMessages(kAllowedBytes);
        return 1;
      case kWhole:
        if (bytes.size() < kWholeBytes) return 0;
        Send(1);
        return kWholeBytes;
      case kFlood:
        for (size_t sent = 0; sent <= Connection::kHardLimit; sent += kGulp) Send(kGulp);
        return bytes.size();
      case kClose:
        for (int i = 0; i < 100; ++i) Send(kGulp / 100);
        connection_.Close(reason_, detail_);
        connection_.Close(CloseReason::kTimeout, "the first call counts");
        Send(1);
        return bytes.size();
      case kHalf:
        if (bytes.size() < 2 || bytes[1] == kHalf) return 0;
        Send(bytes.substr(0, 2));
        return 2;
      case kEcho:
      default:
        Send(bytes);
        return bytes.size();
    }
  }
  void OnLastByte(std::string_view detail) override {
    connection_.Close(CloseReason::kClientLeft, std::string(detail));
  }
  void OnTick(Clock::time_point) override {}
  void OnShutdown(std::string_view detail) override {
    connection_.Close(CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(CloseReason reason, std::string_view detail) override {
    record_.Add(std::string(ToString(reason)) + ": " + std::string(detail) +
                (connection_.SaidGoodbye() ? " (goodbye)" : ""));
  }

 private:
  void Send(size_t size) { Send(std::string(size, 'x')); }
  void Send(std::string_view body) {
    auto bytes = std::make_shared<std::string>();
    AppendFrame(connection_.framed() ? Framing::kBinary : Framing::kNone, *bytes,
                [body](std::string& out) { out += body; });
    connection_.Send(std::move(bytes));
  }

  Connection& connection_;
  Record& record_;
  const CloseReason reason_;
  const std::string detail_;
};

class ListenerTest : public ::testing::Test {
 protected:
  void Listen(ListenerOptions options = {}) {
    options.host = "127.0.0.1";
    const ProtocolFactory protocol = {
        .make =
            [this](Loop& loop, Connection& connection) {
              loop.AssertHere();
              return std::make_unique<TestProtocol>(connection, record_, reason_, detail_);
            },
        .refuse = [](std::string_view reason, bool) { return std::string(reason); }};
    auto listener = Listener::Start(loops_, options, protocol, RoutesOf(protocol));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  uint16_t port() const { return listener_->port(); }

  // What a new client gets that says this.
  std::string Answer(std::string_view request) {
    TcpClient client(port());
    client.Send(request);
    client.EndSending();
    return client.ReadToEnd();
  }

  CloseReason reason_ = CloseReason::kKicked;
  std::string detail_ = "bye";
  Record record_;
  Loops loops_{2};
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TcpBytesComeBackAsTheyWere) {
  Listen();
  TcpClient client(port());
  for (const std::string& bytes :
       {std::string("\1one"), std::string("\1"), std::string(125, '\1'), std::string(126, '\1'),
        std::string(60'000, '\1'), std::string(65'535, '\1'), std::string(65'536, '\1')}) {
    client.Send(bytes);
    EXPECT_EQ(client.Read(bytes.size()), bytes);
  }
}

TEST_F(ListenerTest, WhatTheProtocolLeavesIsOfferedAgain) {
  Listen();
  TcpClient client(port());
  client.Send("\5");
  client.Send("a\5");
  EXPECT_EQ(client.Read(2), "\5a");
  client.Send("b");
  EXPECT_EQ(client.Read(2), "\5b");
}

TEST_F(ListenerTest, AMessageIsBounded) {
  Listen({.max_message_bytes = 4096});
  TcpClient tcp(port());
  tcp.Send(std::string(4200, TestProtocol::kHalf));  // Of which the protocol takes nothing.
  EXPECT_EQ(tcp.ReadToEnd(), "");
  tcp.Close();
  EXPECT_TRUE(WaitUntil([&] { return record_.lines().size() == 1; }));
  EXPECT_THAT(record_.lines(), ElementsAre("protocol_error: a package is larger than this server takes"));

  WebSocketClient ws(port());
  ws.Send(std::string(4097, '\1'));
  EXPECT_THAT(CloseText(ws.Read()), StartsWith("1009"));
}

TEST_F(ListenerTest, TheProtocolMayAllowLargerMessages) {
  Listen({.max_message_bytes = 4096});
  TcpClient tcp(port());
  tcp.Send("\1");  // A TCP client begins with 1 to 5.
  EXPECT_EQ(tcp.Read(1), "\1");
  tcp.Send(TestProtocol::kAllow + std::string(TestProtocol::kWholeBytes, TestProtocol::kWhole));
  EXPECT_EQ(tcp.Read(1), "x");
  tcp.Send(std::string(TestProtocol::kAllowedBytes + 100, TestProtocol::kHalf));
  EXPECT_EQ(tcp.ReadToEnd(), "");

  WebSocketClient ws(port());
  ws.Send(std::string(1, TestProtocol::kAllow));
  const std::string most(TestProtocol::kAllowedBytes, TestProtocol::kEcho);
  ws.Send(most);
  EXPECT_EQ(ws.Read().body, most);
  ws.Send(most + "\1");
  EXPECT_THAT(CloseText(ws.Read()), StartsWith("1009"));

  WebSocketClient other(port());
  other.Send(most);
  EXPECT_THAT(CloseText(other.Read()), StartsWith("1009")) << "it is for one connection alone";
}

TEST_F(ListenerTest, WebSocketFramesComeBackAsTheyWere) {
  Listen();
  WebSocketClient client(port(), "/any/path?and=query");
  for (const std::string& bytes :
       {std::string("\1one"), std::string("\1"), std::string(125, '\1'), std::string(126, '\1'),
        std::string(60'000, '\1'), std::string(65'535, '\1'), std::string(65'536, '\1')}) {
    client.Send(bytes);
    const auto frame = client.Read();
    EXPECT_EQ(frame.kind, FrameKind::kBinary);
    EXPECT_EQ(frame.body, bytes);
  }
  client.Send("\1text", FrameKind::kText);
  EXPECT_EQ(client.Read().kind, FrameKind::kBinary) << "Pomelo is binary whatever the client sends";
  client.Send("here?", FrameKind::kPing);
  const auto pong = client.Read();
  EXPECT_EQ(pong.kind, FrameKind::kPong);
  EXPECT_EQ(pong.body, "here?");
}

// Beast answers pings by itself, whatever of a frame has not left yet.
TEST_F(ListenerTest, APongWaitsForTheFrameBeforeIt) {
  Listen();
  WebSocketClient client(port(), "/", /*receive_buffer=*/4096);
  // More than the system keeps, so that frames stop half-way.
  constexpr size_t kRounds = 40;
  for (size_t i = 0; i < kRounds; ++i) {
    client.Send(std::string(1, TestProtocol::kPart));
    client.Send("ping " + std::to_string(i), FrameKind::kPing);
  }
  size_t bytes = 0;
  size_t pongs = 0;
  while (bytes < kRounds * TestProtocol::kPartBytes || pongs < kRounds) {
    const auto frame = client.Read();
    if (frame.kind == FrameKind::kPong) {
      EXPECT_EQ(frame.body, "ping " + std::to_string(pongs++));
      continue;
    }
    ASSERT_EQ(frame.kind, FrameKind::kBinary);
    ASSERT_EQ(frame.body.find_first_not_of('x'), std::string::npos);
    bytes += frame.body.size();
  }
  EXPECT_EQ(bytes, kRounds * TestProtocol::kPartBytes);
  EXPECT_EQ(pongs, kRounds);
}

TEST_F(ListenerTest, AMessageMayComeInPieces) {
  Listen();
  WebSocketClient client(port());
  // Three frames of one message, as RFC 6455 (5.4) has it; the mask is zero, so the bodies stand as they are.
  const auto frame = [](unsigned char first, const std::string& body) {
    std::string bytes{static_cast<char>(first), static_cast<char>(0x80 | 126)};
    bytes += static_cast<char>(body.size() >> 8);
    bytes += static_cast<char>(body.size() & 0xff);
    return bytes + std::string(4, '\0') + body;
  };
  const std::string one = "\1" + std::string(700, 'a');
  const std::string two(2000, 'b');
  const std::string three(513, 'c');
  client.socket().Send(frame(0x02, one) + frame(0x00, two));
  client.socket().Send(frame(0x80, three));
  client.Send("\1next");
  EXPECT_EQ(client.Read().body, one + two + three);
  EXPECT_EQ(client.Read().body, "\1next");
  // The largest that is taken, and its end in a frame that holds nothing.
  const std::string half(32'768, '\1');
  client.socket().Send(frame(0x02, half) + frame(0x00, half));
  client.socket().Send({"\x80\x80\0\0\0\0", 6});
  EXPECT_EQ(client.Read().body, half + half);
}

// What a room has for it just then does not take the reason away.
TEST_F(ListenerTest, AClientThatIsRefusedLearnsWhyThoughThereIsMoreForIt) {
  Listen();
  WebSocketClient client(port());
  // In one piece, so that the answer to the first is still on its way when the second is found to be too
  // large.
  const std::string message("\x82\x82\0\0\0\0\1a", 8);
  const std::string too_large("\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0", 14);
  client.socket().Send(message + too_large);
  auto frame = client.Read();
  if (frame.kind == FrameKind::kBinary) frame = client.Read();
  EXPECT_THAT(CloseText(frame), StartsWith("1009"));
  client.socket().Close();
  EXPECT_TRUE(WaitUntil([&] { return !record_.lines().empty(); }));
  EXPECT_THAT(record_.lines(), ElementsAre(StartsWith("protocol_error: ")));
}

TEST_F(ListenerTest, TheProtocolLearnsOfAnEmptyFrame) {
  Listen();
  WebSocketClient client(port());
  client.Send("");
  client.Send("\1on");
  EXPECT_EQ(client.Read().body, "\1on");
  EXPECT_THAT(record_.lines(), ElementsAre("an empty frame"));
}

TEST_F(ListenerTest, AFrameThatIsNotTakenWholeEndsTheConnection) {
  Listen();
  WebSocketClient client(port());
  client.Send("\5ab");
  EXPECT_EQ(client.Read().body, "\5a");
  EXPECT_THAT(CloseText(client.Read()), StartsWith("1002 "));
}

TEST_F(ListenerTest, HttpMayComeInPieces) {
  Listen();
  TcpClient client(port());
  for (const char* piece : {"G", "ET /a HT", "TP/1.1\r", "\nHost: h\r\n\r", "\n"}) client.Send(piece);
  EXPECT_THAT(client.ReadUntil("this is /a\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ListenerTest, AClientOfNeitherKindIsClosed) {
  Listen();
  for (const char first : {'\0', '\6', ' ', 'g', '\x7f', '\xff'}) {
    SCOPED_TRACE(static_cast<int>(first));
    EXPECT_EQ(Answer(std::string(1, first) + "and more"), "");
  }
}

TEST_F(ListenerTest, AClientThatDoesNotReadIsEndedAlone) {
  Listen();
  TcpClient slow(port(), /*receive_buffer=*/4096);
  WebSocketClient other(port());
  slow.Send(std::string(1, TestProtocol::kFlood));
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 1; }));
  EXPECT_THAT(record_.lines(), ElementsAre(StartsWith("slow: the client does not read: ")));
  other.Send("\1on");
  EXPECT_EQ(other.Read().body, "\1on");
}

TEST_F(ListenerTest, AClientIsNotReadFromUntilItHasTakenItsPart) {
  Listen();
  TcpClient client(port(), /*receive_buffer=*/4096);
  // Far more than the hard limit and what the system keeps, if it were all read at once.
  constexpr size_t kGulps = 30;
  client.Send(std::string(kGulps, TestProtocol::kGulps));
  EXPECT_EQ(client.Read(kGulps * kGulp).size(), kGulps * kGulp);
  client.Send("\1on");
  EXPECT_EQ(client.Read(3), "\1on");
  EXPECT_TRUE(record_.lines().empty()) << record_.lines().front();
}

TEST_F(ListenerTest, ClosingFlushesWhatIsQueued) {
  Listen();
  TcpClient tcp(port());
  // What the client goes on sending must not take the last words back.
  tcp.Send(std::string(1, TestProtocol::kClose) + std::string(3000, 'y'));
  tcp.Send(std::string(3000, 'z'));
  EXPECT_EQ(tcp.ReadToEnd().size(), kGulp / 100 * 100);
  tcp.Close();

  WebSocketClient ws(port());
  ws.Send(std::string(1, TestProtocol::kClose));
  size_t bytes = 0;
  while (bytes < kGulp / 100 * 100) {
    const auto frame = ws.Read();
    ASSERT_EQ(frame.kind, FrameKind::kBinary);
    bytes += frame.body.size();
  }
  EXPECT_EQ(CloseText(ws.Read()), "1000 bye");
  ws.socket().Close();
  EXPECT_TRUE(WaitUntil([&] { return record_.lines().size() == 2; }));
  EXPECT_THAT(record_.lines(), ElementsAre("kicked: bye", "kicked: bye"));
}

TEST_F(ListenerTest, CountsBytesAndEndsOfConnections) {
  Listen();
  {
    TcpClient tcp(port());
    tcp.Send("\1four");
    EXPECT_EQ(tcp.Read(5), "\1four");
    WebSocketClient ws(port());
    ws.Send("\1on");
    EXPECT_EQ(ws.Read().body, "\1on");
    tcp.Send("\1x");
    EXPECT_EQ(tcp.Read(2), "\1x");
    EXPECT_EQ(listener_->traffic().received_bytes, 10u) << "frames and handshakes are not counted";
    EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().sent_bytes == 12; }));
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kClientLeft) == 2; }));
  TcpClient kicked(port());
  kicked.Send(std::string(1, TestProtocol::kClose));
  kicked.ReadToEnd();
  kicked.Close();
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kKicked) == 1; }));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes == 0; }));
}

TEST_F(ListenerTest, CountsWhatWaitsForASlowClientUntilItsEnd) {
  Listen();
  TcpClient reader(port(), /*receive_buffer=*/4096);
  // Far more than the system keeps for it.
  reader.Send(std::string(30, TestProtocol::kGulps));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes > Connection::kSoftLimit; }));
  EXPECT_EQ(reader.Read(30 * kGulp).size(), 30 * kGulp);
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes == 0; }));
  TcpClient slow(port(), /*receive_buffer=*/4096);
  slow.Send(std::string(1, TestProtocol::kFlood));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kSlow) == 1; }));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes == 0; }));
}

TEST_F(ListenerTest, ClientsThatDoNotReadAreBoundedTogether) {
  constexpr size_t kMost = size_t{4} << 20;
  Listen({.max_waiting_bytes = kMost});
  WebSocketClient reader(port());
  std::vector<std::unique_ptr<TcpClient>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<TcpClient>(port(), /*receive_buffer=*/4096));
    slow.back()->Send(std::string(4, TestProtocol::kGulps));
    EXPECT_LE(listener_->traffic().queued_bytes, kMost + 2 * kGulp);
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kSlow) > 0; }));
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().queued_bytes <= kMost; }));
  EXPECT_GT(listener_->connections(), 1) << "no more than needed";
  EXPECT_TRUE(WaitUntil([&] { return !record_.lines().empty(); }));
  for (const std::string& line : record_.lines())
    EXPECT_THAT(line, StartsWith("slow: clients together do not read enough"));
  reader.Send("\1on");
  EXPECT_EQ(reader.Read().body, "\1on");
}

TEST_F(ListenerTest, WebSocketClientsAreToldWhy) {
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "\xc3\xa9";
  const struct {
    CloseReason reason;
    std::string detail, told;
  } cases[] = {
      {CloseReason::kProtocolError, "no package", "1002 no package"},
      {CloseReason::kTimeout, "late", "1008 late"},
      {CloseReason::kFlood, "slow down", "1008 slow down"},
      {CloseReason::kShutdown, "reconnect", "1001 reconnect"},
      {CloseReason::kKicked, "", "1000 "},
      // A close frame holds 123 bytes of text, and must not end in half a character.
      {CloseReason::kKicked, long_text, "1000 " + long_text.substr(0, 122)},
      {CloseReason::kKicked, std::string(200, 'x'), "1000 " + std::string(123, 'x')},
  };
  Listen();
  for (const auto& c : cases) {
    reason_ = c.reason;
    detail_ = c.detail;
    WebSocketClient client(port());
    client.Send(std::string(1, TestProtocol::kClose));
    auto frame = client.Read();
    while (frame.kind == FrameKind::kBinary) frame = client.Read();
    EXPECT_EQ(CloseText(frame), c.told);
  }
}

// What no protocol is shown, a frame of each kind with a mask of zeros.
TEST_F(ListenerTest, ClosesAWebSocketThatFloodsItWithFramesThatAreNoMessages) {
  Listen();
  for (const std::string& frame : {std::string("\x89\x80\0\0\0\0", 6), std::string("\x8a\x80\0\0\0\0", 6),
                                   std::string("\0\x80\0\0\0\0", 6), std::string("\0\x81\0\0\0\0x", 7)}) {
    WebSocketClient client(port());
    if (frame[0] == 0) client.socket().Send(std::string("\x02\x80\0\0\0\0", 6));
    for (int i = 0; i < 100; ++i) {
      std::string frames;
      for (int k = 0; k < 100; ++k) frames += frame;
      client.socket().Send(frames);
    }
    auto last = client.Read();
    while (last.kind == FrameKind::kPong) last = client.Read();
    EXPECT_THAT(CloseText(last), StartsWith("1008 you send far more pings, pongs or fragments"));
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->traffic().closed(CloseReason::kFlood) == 4; }));
}

TEST_F(ListenerTest, AFewPingsAndAMessageInPiecesAreNoFlood) {
  Listen({.max_message_bytes = 64 * 1024});
  WebSocketClient client(port());
  std::string frames;
  for (int i = 0; i < 30; ++i) frames += std::string("\x89\x80\0\0\0\0", 6);
  frames += std::string("\x02\x81\0\0\0\0", 6) + TestProtocol::kEcho;
  const std::string piece(100, 'x');
  for (int i = 0; i < 600; ++i) frames += std::string("\0\xe4\0\0\0\0", 6) + piece;
  frames += std::string("\x80\x80\0\0\0\0", 6);
  client.socket().Send(frames);
  auto answer = client.Read();
  while (answer.kind == FrameKind::kPong) answer = client.Read();
  EXPECT_EQ(answer.kind, FrameKind::kBinary);
  EXPECT_EQ(answer.body.size(), 60'001u);
}

TEST_F(ListenerTest, LearnsThatAClientHasLeft) {
  Listen();
  {
    TcpClient tcp(port());
    tcp.Send("\1on");
    EXPECT_EQ(tcp.Read(3), "\1on");
    WebSocketClient ws(port());
    EXPECT_EQ(listener_->connections(), 2);
    ws.Send("\x03\xe8", FrameKind::kClose);
    EXPECT_THAT(CloseText(ws.Read()), StartsWith("1000"));
  }
  EXPECT_TRUE(WaitUntil([&] { return record_.lines().size() == 2; }));
  EXPECT_THAT(record_.lines(), ::testing::Each(StartsWith("client_left: ")));
  EXPECT_THAT(record_.lines(),
              ::testing::UnorderedElementsAre(HasSubstr("(goodbye)"), ::testing::Not(HasSubstr("(goodbye)"))))
      << "only the client that sent a close frame said goodbye";
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
}

TEST_F(ListenerTest, AMessageThatIsNotWholeWhenItsClientClosesIsNone) {
  Listen();
  WebSocketClient ws(port());
  // The first part of a message in two, masked by zeros.
  ws.socket().Send(std::string("\x02\x82\0\0\0\0", 6) + TestProtocol::kEcho + "a");
  ws.Send("\x03\xe8", FrameKind::kClose);
  const auto frame = ws.Read();
  EXPECT_EQ(frame.kind, FrameKind::kClose) << frame.body;
  EXPECT_TRUE(WaitUntil([&] { return record_.lines().size() == 1; }));
  EXPECT_THAT(record_.lines(), ElementsAre(HasSubstr("(goodbye)")));
}

TEST_F(ListenerTest, BoundsTheConnections) {
  Listen({.max_connections = 2});
  auto first = std::make_unique<TcpClient>(port());
  TcpClient second(port());
  for (TcpClient* client : {first.get(), &second}) {
    client->Send("\1on");
    EXPECT_EQ(client->Read(3), "\1on");
  }
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Answer("\1on"), HasSubstr("full"));
  EXPECT_EQ(listener_->connections(), 2);

  first.reset();
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 1; }));
  TcpClient next(port());
  next.Send("\1on");
  EXPECT_EQ(next.Read(3), "\1on");
}

TEST_F(ListenerTest, BoundsTheConnectionsOfOneMachine) {
  Listen({.max_per_machine = 2, .trusted_proxies = Networks::Parse({"127.0.0.1"}).value()});
  const auto says = [](std::string_view client) {
    return "PROXY TCP4 " + std::string(client) + " 192.0.2.1 4000 3050\r\n\1on";
  };
  TcpClient first(port());
  TcpClient second(port());
  TcpClient other(port());
  first.Send(says("203.0.113.1"));
  second.Send(says("203.0.113.1"));
  other.Send(says("203.0.113.2"));
  for (TcpClient* client : {&first, &second, &other}) EXPECT_EQ(client->Read(3), "\1on");
  EXPECT_EQ(Answer(says("203.0.113.1")), "too-many") << "and not that the server is full, for there is room";
  const std::string page = "PROXY TCP4 203.0.113.1 192.0.2.1 4000 3050\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_THAT(Answer(page),
              AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"), HasSubstr("Retry-After: "),
                    HasSubstr("Your address has as many clients here as one may have.")));
  EXPECT_EQ(Answer(says("203.0.113.2")), "\1on") << "another machine's";
}

TEST_F(ListenerTest, AClientThatNeverStartsIsClosed) {
  Listen({.setup_timeout = milliseconds(50)});
  EXPECT_EQ(TcpClient(port()).ReadToEnd(), "");
  // So is one that has its answer and stays.
  TcpClient answered(port());
  answered.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  answered.ReadToEnd();
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  EXPECT_TRUE(record_.lines().empty()) << "no protocol was made for them";
}

// Clients in every stage of their lives.
struct Crowd {
  explicit Crowd(uint16_t port)
      : silent(port), half(port), kept(port), answered(port), tcp(port), full(port, 4096), web_socket(port) {
    half.Send("GET / HT");
    answered.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    answered.ReadUntil("this is /\n");
    kept.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    kept.ReadUntil("this is /\n");
    tcp.Send("\1on");
    tcp.Read(3);
    full.Send(std::string(30, TestProtocol::kGulps));
    full.Read(1);
  }
  TcpClient silent, half, kept, answered, tcp, full;
  WebSocketClient web_socket;
};

TEST_F(ListenerTest, EndsWithClientsInEveryStage) {
  Listen({.setup_timeout = seconds(3600)});
  Crowd crowd(port());
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 6; }));
  listener_.reset();
  EXPECT_EQ(crowd.silent.ReadToEnd(), "");
  EXPECT_EQ(crowd.half.ReadToEnd(), "");
  EXPECT_EQ(crowd.kept.ReadToEnd(), "");
  EXPECT_EQ(crowd.tcp.ReadToEnd(), "");
  crowd.full.ReadToEnd();
  while (crowd.web_socket.Read().kind != FrameKind::kEnd) {
  }
  const auto lines = record_.lines();
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines, ::testing::Each(StartsWith("shutdown: ")));
}

TEST_F(ListenerTest, ClosesClientsInEveryStage) {
  Listen({.setup_timeout = seconds(3600)});
  Crowd crowd(port());
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 6; }));
  crowd.full.Close();
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 5; }));
  listener_->Drain("reconnect");
  std::thread closer([&] { listener_->CloseAll("reconnect", seconds(20)); });
  EXPECT_EQ(CloseText(crowd.web_socket.Read()), "1001 reconnect");
  EXPECT_EQ(crowd.tcp.ReadToEnd(), "");
  crowd.web_socket.socket().Close();
  crowd.tcp.Close();
  closer.join();
  EXPECT_EQ(listener_->connections(), 0);
  EXPECT_THAT(record_.lines(), Contains("shutdown: reconnect").Times(2));
}

TEST_F(ListenerTest, SaysWhyItCanNotListen) {
  Listen();
  const auto start = [&](ListenerOptions options) {
    return Listener::Start(loops_, std::move(options), {.make = nullptr}, {}).status();
  };
  const absl::Status taken = start({.host = "127.0.0.1", .port = port()});
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(taken.message()), HasSubstr("127.0.0.1:" + std::to_string(port())));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("another program has this port"));
  // An address of documentation: no machine has it.
  const absl::Status elsewhere = start({.host = "203.0.113.1"});
  EXPECT_THAT(std::string(elsewhere.message()), HasSubstr("203.0.113.1:0: no such address here"));
}

}  // namespace
}  // namespace hubbub::net
