// What clients are given time for, over real sockets.
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/net/frame.h"
#include "services/net/listener.h"
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
using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::StartsWith;
using FrameKind = WebSocketClient::Kind;

// What tests see of the connections from their own thread.
struct Seen {
  Mutex mu;
  std::vector<std::string> ends ABSL_GUARDED_BY(mu);
  std::vector<Clock::duration> ticks ABSL_GUARDED_BY(mu);  // From one to the next, by the clients' clock.
  std::atomic<int> tick_count{0};

  std::vector<std::string> Ends() {
    MutexLock lock(mu);
    return ends;
  }
};

constexpr size_t kBulk = size_t{3900} * 1024;  // Below the hard limit, above what the system keeps.
constexpr size_t kPieces = 220;                // Of 1 KiB: below the soft limit, and several writes.
constexpr size_t kPiece = 1024;

// Does what each byte of the client's says. The first one of a TCP client must be 1 to 5.
class Commands final : public Protocol {
 public:
  static constexpr char kNow = 1;     // Answered at once.
  static constexpr char kLater = 2;   // Answered some turns later; what follows is taken meanwhile.
  static constexpr char kNever = 3;   // Owed for ever.
  static constexpr char kSlowly = 4;  // As kLater, but what follows waits for it.
  static constexpr char kPair = 5;    // Taken with the byte that follows, which comes back.
  static constexpr char kSendBulk = 6;
  static constexpr char kSendPieces = 7;

  Commands(Loop& loop, Connection& connection, Seen& seen)
      : loop_(loop), connection_(connection), seen_(seen), alive_(std::make_shared<bool>(true)) {}

  size_t OnBytes(std::string_view bytes, bool) override {
    size_t taken = 0;
    while (taken < bytes.size() && !paused_) {
      if (bytes[taken] == kPair) {
        if (taken + 1 == bytes.size()) break;
        Send(bytes.substr(++taken, 1));
      } else {
        Do(bytes[taken]);
      }
      ++taken;
    }
    return taken;
  }
  void OnLastByte(std::string_view detail) override {
    last_byte_ = detail;
    CloseIfNothingIsOwed();
  }
  void OnTick(Clock::time_point now) override {
    MutexLock lock(seen_.mu);
    if (last_tick_ != Clock::time_point()) seen_.ticks.push_back(now - last_tick_);
    last_tick_ = now;
    ++seen_.tick_count;
  }
  void OnShutdown(std::string_view detail) override {
    connection_.Close(CloseReason::kShutdown, std::string(detail));
  }
  void OnClosed(CloseReason reason, std::string_view detail) override {
    alive_.reset();
    MutexLock lock(seen_.mu);
    seen_.ends.push_back(std::string(ToString(reason)) + ": " + std::string(detail));
  }

 private:
  void Do(char command) {
    switch (command) {
      case kNow:
        return Send("now");
      case kSlowly:
        paused_ = true;
        connection_.Pause();
        [[fallthrough]];
      case kLater:
        ++owed_;
        return AnswerAfter(command, 5);
      case kNever:
        ++owed_;
        return;
      case kSendBulk:
        return Send(std::string(kBulk, 'x'));
      case kSendPieces:
        for (size_t i = 0; i < kPieces; ++i) Send(std::string(kPiece, 'x'));
        return;
      default:
        connection_.Close(CloseReason::kProtocolError, "no such command");
    }
  }
  void AnswerAfter(char command, int turns) {
    loop_.Post([this, alive = std::weak_ptr<bool>(alive_), command, turns] {
      if (alive.expired()) return;
      if (turns > 0) return AnswerAfter(command, turns - 1);
      --owed_;
      Send("later");
      CloseIfNothingIsOwed();
      if (command != kSlowly) return;
      paused_ = false;
      connection_.Resume();
    });
  }
  void CloseIfNothingIsOwed() {
    if (!last_byte_.empty() && owed_ == 0) connection_.Close(CloseReason::kClientLeft, last_byte_);
  }
  void Send(std::string_view body) {
    auto bytes = std::make_shared<std::string>();
    AppendFrame(connection_.framed() ? Framing::kBinary : Framing::kNone, *bytes,
                [body](std::string& out) { out += body; });
    connection_.Send(std::move(bytes));
  }

  Loop& loop_;
  Connection& connection_;
  Seen& seen_;
  std::shared_ptr<bool> alive_;
  bool paused_ = false;
  int owed_ = 0;
  std::string last_byte_;
  Clock::time_point last_tick_;
};

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class PatienceTest : public ::testing::Test {
 protected:
  void Listen(const Patience& patience = {}, milliseconds setup_timeout = seconds(10)) {
    const ProtocolFactory protocol = {.make = [this](Loop& loop, Connection& connection) {
      return std::make_unique<Commands>(loop, connection, seen_);
    }};
    auto listener =
        Listener::Start(loops_, {.host = "127.0.0.1", .setup_timeout = setup_timeout, .patience = patience},
                        protocol, RoutesOf(protocol));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  uint16_t port() const { return listener_->port(); }
  // Keeps the loop from its work for so long.
  void Halt(milliseconds time) {
    loops_.at(0).Post([time] { std::promise<void>().get_future().wait_for(time); });
  }
  void WaitForTicks(int ticks) {
    const int target = seen_.tick_count + ticks;
    ASSERT_TRUE(WaitUntil([&] { return seen_.tick_count >= target || !seen_.Ends().empty(); }));
  }

  Seen seen_;
  Loops loops_{1};
  std::unique_ptr<Listener> listener_;
};

TEST_F(PatienceTest, ALateTickIsNobodysDelay) {
  constexpr milliseconds kTick{40};
  Listen({.tick = kTick});
  TcpClient client(port());
  client.Send("\1");
  EXPECT_EQ(client.Read(3), "now");
  WaitForTicks(2);
  Halt(10 * kTick);
  WaitForTicks(3);
  MutexLock lock(seen_.mu);
  EXPECT_THAT(seen_.ticks, ::testing::Each(Le(kTick + kTick / 2)));
}

TEST_F(PatienceTest, ANewcomerIsReadBeforeItIsGivenUp) {
  constexpr milliseconds kTick{40};
  Listen({.tick = kTick}, /*setup_timeout=*/10 * kTick);
  // By its ticks the loop knows that it was late.
  TcpClient ticking(port());
  ticking.Send("\1");
  EXPECT_EQ(ticking.Read(3), "now");
  WaitForTicks(2);
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<TcpClient>(port()));
  ASSERT_TRUE(WaitUntil([&] { return listener_->connections() == 201; }));
  Halt(20 * kTick);
  for (const auto& client : clients) client->Send("\1");
  for (const auto& client : clients) ASSERT_EQ(client->Read(3), "now");
}

// The whole is one write, which takes this client far longer than it may take nothing.
TEST_F(PatienceTest, AClientThatReadsSlowlyAndSteadilyStays) {
  Listen({.tick = milliseconds(20), .stall = milliseconds(1500)});
  TcpClient client(port(), /*receive_buffer=*/4096);
  client.Send(std::string{Commands::kNow, Commands::kSendBulk});
  EXPECT_EQ(client.Read(3), "now");
  size_t read = 0;
  int ticks = 0;
  while (listener_->traffic().queued_bytes > 0) {
    WaitForTicks(2);
    ticks += 2;
    ASSERT_THAT(seen_.Ends(), ElementsAre());
    read += client.Read(std::min<size_t>(16 * 1024, kBulk - read)).size();
  }
  EXPECT_GT(ticks, 75) << "the write was over before the client could be taken for dead";
  EXPECT_EQ(client.Read(kBulk - read).size(), kBulk - read);
}

TEST_F(PatienceTest, AClientThatTakesNothingIsCut) {
  Listen({.tick = milliseconds(20), .stall = milliseconds(200)});
  TcpClient client(port(), /*receive_buffer=*/4096);
  client.Send(std::string{Commands::kNow, Commands::kSendBulk});
  EXPECT_TRUE(WaitUntil([&] { return !seen_.Ends().empty(); }));
  EXPECT_THAT(seen_.Ends(), ElementsAre("slow: the client has taken nothing for 1 seconds"));
}

// There must never be two reads at a time: the second would write over what the first has left.
TEST_F(PatienceTest, WhileMuchIsWrittenThereIsOneRead) {
  Listen();
  TcpClient client(port(), /*receive_buffer=*/4096);
  client.Send("\1");
  EXPECT_EQ(client.Read(3), "now");
  for (int round = 0; round < 5; ++round) {
    // Until the system takes no more of it.
    size_t sent = 0;
    while (listener_->traffic().queued_bytes == 0 && sent < size_t{64} << 20) {
      const uint64_t before = listener_->traffic().received_bytes;
      client.Send(std::string(1, Commands::kSendPieces));
      sent += kPieces * kPiece;
      ASSERT_TRUE(WaitUntil([&] { return listener_->traffic().received_bytes > before; }));
    }
    ASSERT_EQ(client.Read(sent).size(), sent);
    for (const char* half : {"\5", "a\5", "b\5", "c"}) {
      const uint64_t before = listener_->traffic().received_bytes;
      client.Send(half);
      ASSERT_TRUE(WaitUntil([&] { return listener_->traffic().received_bytes > before; }));
    }
    ASSERT_EQ(client.Read(3), "abc");
  }
}

TEST_F(PatienceTest, WhatAClientAskedBeforeItsLastByteIsAnswered) {
  Listen();
  const std::string asked =
      Repeat({Commands::kNow, Commands::kLater, Commands::kSlowly, Commands::kLater}, 16);
  const std::string answer = Repeat("nowlaterlaterlater", 16);
  const auto in_any_order = [](std::string text) {
    std::sort(text.begin(), text.end());
    return text;
  };
  {
    TcpClient tcp(port());
    tcp.Send(asked);
    tcp.EndSending();
    EXPECT_EQ(in_any_order(tcp.ReadToEnd()), in_any_order(answer));
  }
  for (const bool with_close : {true, false}) {
    SCOPED_TRACE(with_close ? "a close frame" : "no close frame");
    WebSocketClient ws(port());
    for (const char command : asked) ws.Send(std::string(1, command));
    if (with_close)
      ws.Send(
          "\x03\xe8"
          "bye",
          FrameKind::kClose);
    ws.socket().EndSending();
    std::string got;
    auto frame = ws.Read();
    for (; frame.kind == FrameKind::kBinary; frame = ws.Read()) got += frame.body;
    EXPECT_EQ(in_any_order(got), in_any_order(answer));
    EXPECT_THAT(CloseText(frame), StartsWith("1000 "));
    EXPECT_EQ(ws.Read().kind, FrameKind::kEnd);
  }
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  EXPECT_THAT(seen_.Ends(), ::testing::Each(StartsWith("client_left: ")));
}

TEST_F(PatienceTest, MuchThatIsOwedComesWhole) {
  Listen();
  TcpClient client(port(), /*receive_buffer=*/4096);
  // Far more than may wait for a client: the last of it is asked for when most was taken.
  client.Send("\1" + Repeat({Commands::kSendPieces, Commands::kSlowly}, 40));
  client.EndSending();
  EXPECT_EQ(client.ReadToEnd().size(), 3 + 40 * (kPieces * kPiece + 5));
}

TEST_F(PatienceTest, AClientThatIsOwedNothingIsGoneAtOnce) {
  // No tick helps.
  Listen({.tick = seconds(3600)});
  for (const bool half : {true, false}) {
    TcpClient tcp(port());
    WebSocketClient ws(port());
    WebSocketClient closing(port());
    tcp.Send("\1");
    EXPECT_EQ(tcp.Read(3), "now");
    closing.Send("", FrameKind::kClose);
    for (TcpClient* client : {&tcp, &ws.socket()}) {
      if (half) client->EndSending();
      if (!half) client->Close();
    }
    EXPECT_TRUE(WaitUntil([&] { return listener_->connections() <= 1; }));
    EXPECT_EQ(half ? tcp.ReadToEnd() : "", "");
    EXPECT_EQ(closing.Read().kind, FrameKind::kClose);
    closing.socket().Close();
    EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  }
}

TEST_F(PatienceTest, AResetEndsAClientThatIsStillOwedSomething) {
  Listen({.tick = seconds(3600)});
  const std::string never{Commands::kNow, Commands::kNever};
  TcpClient tcp(port());
  tcp.Send(never);
  WebSocketClient half(port());
  half.Send(never);
  WebSocketClient closing(port());
  closing.Send(never);
  closing.Send("\x03\xe8", FrameKind::kClose);
  for (TcpClient* client : {&tcp, &half.socket(), &closing.socket()}) client->EndSending();
  EXPECT_EQ(tcp.Read(3), "now");
  EXPECT_EQ(half.Read().body, "now");
  EXPECT_EQ(closing.Read().body, "now");
  EXPECT_EQ(listener_->connections(), 3);
  for (TcpClient* client : {&tcp, &half.socket(), &closing.socket()}) client->Reset();
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  EXPECT_THAT(seen_.Ends(), ::testing::Each(StartsWith("client_left: ")));
}

TEST_F(PatienceTest, NobodyIsAnsweredForEver) {
  Listen({.tick = milliseconds(20), .last_words = milliseconds(100)});
  TcpClient tcp(port());
  tcp.Send(std::string{Commands::kNow, Commands::kNever});
  WebSocketClient ws(port());
  ws.Send(std::string{Commands::kNow, Commands::kNever});
  ws.Send("\x03\xe8", FrameKind::kClose);
  tcp.EndSending();
  EXPECT_TRUE(WaitUntil([&] { return listener_->connections() == 0; }));
  EXPECT_THAT(seen_.Ends(), ::testing::Each(StartsWith("client_left: the client sends no more, and what")));
}

}  // namespace
}  // namespace hubbub::net
