#include "services/http2/channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/http2/testing/test_http2_server.h"
#include "services/net/testing/on_loop.h"
#include "services/testing/wait.h"

namespace hubbub::http2 {
namespace {

using hubbub::testing::WaitUntil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A server on a port of its own, with a thread. It answers calls to /answer with OK at once, and keeps
// others.
class Peer {
 public:
  Peer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~Peer() {
    stop_ = true;
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

  // It neither reads nor writes while it hangs; what comes stays in its sockets.
  std::atomic<bool> hangs = false;
  std::atomic<bool> hangs_up = false;   // Closes all connections, once.
  std::atomic<bool> goes_away = false;  // Tells all connections to take no more calls, once.
  std::atomic<int> accepted = 0;
  std::atomic<int> open = 0;
  std::atomic<int> calls = 0;

 private:
  struct Client {
    explicit Client(int socket) : fd(socket) {}
    const int fd;
    TestHttp2Server http2;
    int answered = 0;
  };

  void Run() {
    std::vector<std::unique_ptr<Client>> clients;
    while (!stop_) {
      std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
      for (const auto& client : clients) fds.push_back({client->fd, POLLIN, 0});
      poll(fds.data(), fds.size(), 5);
      if (hangs) continue;
      if ((fds[0].revents & POLLIN) != 0) {
        clients.push_back(std::make_unique<Client>(accept(listener_, nullptr, nullptr)));
        clients.back()->http2.SayHello();
        ++accepted;
      }
      const bool hang_up = hangs_up.exchange(false);
      const bool go_away = goes_away.exchange(false);
      std::erase_if(clients, [&](const auto& client) {
        if (!hang_up && Serve(*client, go_away)) return false;
        close(client->fd);
        return true;
      });
      open = static_cast<int>(clients.size());
    }
    for (const auto& client : clients) close(client->fd);
  }

  // False if the client has ended.
  bool Serve(Client& client, bool go_away) {
    std::array<char, 4096> bytes;
    const ssize_t read = recv(client.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (read == 0) return false;
    if (read > 0 && !client.http2.Receive({bytes.data(), static_cast<size_t>(read)})) return false;
    int seen = 0;
    for (const auto& [id, call] : client.http2.calls()) {
      ++seen;
      if (id <= client.answered) continue;
      client.answered = id;
      ++calls;
      if (call.fields.at(":path") == "/answer") client.http2.End(id, {{"grpc-status", "0"}});
    }
    if (go_away) client.http2.GoAway(client.answered);
    const std::string out = client.http2.TakeOutput();
    return send(client.fd, out.data(), out.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out.size());
  }

  const int listener_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// A channel on a loop, and how its calls end.
class ChannelTest : public ::testing::Test {
 protected:
  static net::asio::ip::tcp::endpoint At(uint16_t port) {
    return {net::asio::ip::make_address("127.0.0.1"), port};
  }
  void Connect(uint16_t port) { channel_ = std::make_shared<Channel>(loops_.at(0), At(port)); }
  void TearDown() override {
    if (channel_ != nullptr) net::OnLoop(loops_.at(0), [this] { channel_->Close(); });
    loops_.Stop();
  }
  void Open(const std::string& method) {
    net::OnLoop(loops_.at(0), [&] {
      channel_->Open({.method = method}, {.on_end = [this](const absl::Status& status) {
                       const MutexLock lock(mu_);
                       ends_.push_back(status.ToString());
                     }});
    });
  }
  std::vector<std::string> ends() const {
    const MutexLock lock(mu_);
    return ends_;
  }
  bool Ended(size_t calls) const {
    return WaitUntil([&] { return ends().size() >= calls; });
  }

  net::Loops loops_{1};
  std::shared_ptr<Channel> channel_;
  mutable Mutex mu_;
  std::vector<std::string> ends_ ABSL_GUARDED_BY(mu_);
};

TEST_F(ChannelTest, CallsShareAConnection) {
  Peer peer;
  Connect(peer.port());
  for (int i = 0; i < 3; ++i) Open("/answer");
  ASSERT_TRUE(Ended(3));
  EXPECT_THAT(ends(), ElementsAre("OK", "OK", "OK"));
  EXPECT_EQ(peer.accepted, 1);
}

TEST_F(ChannelTest, NobodyListens) {
  uint16_t port = 0;
  {
    const Peer gone;
    port = gone.port();
  }
  Connect(port);
  Open("/answer");
  ASSERT_TRUE(Ended(1));
  // rpc::Reachability knows a dead process by it.
  EXPECT_THAT(ends(), ElementsAre(HasSubstr("Connection refused")));
}

TEST_F(ChannelTest, AServerThatNeverSpeaksIsGivenUp) {
  Peer peer;
  peer.hangs = true;
  Connect(peer.port());
  Open("/answer");
  ASSERT_TRUE(Ended(1));
  EXPECT_THAT(ends(), ElementsAre(HasSubstr("does not answer")));
  // One that wakes up is reached again, by another connection; what was asked before is not done.
  peer.hangs = false;
  Open("/answer");
  ASSERT_TRUE(Ended(2));
  EXPECT_EQ(ends().back(), "OK");
  EXPECT_EQ(peer.calls, 1);
}

TEST_F(ChannelTest, AServerThatFallsSilentIsGivenUp) {
  Peer peer;
  Connect(peer.port());
  Open("/keep");
  ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
  peer.hangs = true;
  ASSERT_TRUE(Ended(1));
  EXPECT_THAT(ends(), ElementsAre(HasSubstr("does not answer any more")));
  peer.hangs = false;
}

// It pings, so a server that has nothing to say is not silent.
TEST_F(ChannelTest, AQuietConnectionStays) {
  Peer peer;
  Connect(peer.port());
  Open("/keep");
  ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
  // Longer than it takes to give up a server that hangs, by the test before.
  Peer hung;
  hung.hangs = true;
  auto other = std::make_shared<Channel>(loops_.at(0), At(hung.port()));
  std::atomic<int> given_up = 0;
  std::function<void()> again = [&] {
    other->Open({.method = "/answer"}, {.on_end = [&](const absl::Status&) {
                  if (++given_up < 4) again();
                }});
  };
  net::OnLoop(loops_.at(0), again);
  ASSERT_TRUE(WaitUntil([&] { return given_up == 4; }));
  EXPECT_THAT(ends(), ElementsAre());
  EXPECT_EQ(peer.accepted, 1);
  net::OnLoop(loops_.at(0), [&] { other->Close(); });
}

TEST_F(ChannelTest, ABrokenConnectionEndsItsCallsAndTheNextConnects) {
  Peer peer;
  Connect(peer.port());
  Open("/keep");
  ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
  peer.hangs_up = true;
  ASSERT_TRUE(Ended(1));
  EXPECT_THAT(ends(), ElementsAre(HasSubstr("UNAVAILABLE: the connection to 127.0.0.1:")));
  Open("/answer");
  ASSERT_TRUE(Ended(2));
  EXPECT_EQ(ends().back(), "OK");
  EXPECT_EQ(peer.accepted, 2);
}

TEST_F(ChannelTest, AServerThatGoesAwayKeepsItsCallsUntilTheyEnd) {
  Peer peer;
  Connect(peer.port());
  std::shared_ptr<Call> kept;
  net::OnLoop(loops_.at(0), [&] {
    kept = channel_->Open({.method = "/keep"}, {.on_end = [this](const absl::Status& status) {
                            const MutexLock lock(mu_);
                            ends_.push_back(status.ToString());
                          }});
  });
  ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
  peer.goes_away = true;
  // As soon as it has heard that.
  ASSERT_TRUE(WaitUntil([&] {
    const size_t before = ends().size();
    Open("/answer");
    return Ended(before + 1) && peer.accepted == 2;
  }));
  EXPECT_EQ(peer.open, 2);
  net::OnLoop(loops_.at(0), [&] { kept->Cancel(); });
  EXPECT_TRUE(WaitUntil([&] { return peer.open == 1; }));
}

TEST_F(ChannelTest, CloseEndsAllCalls) {
  Peer peer;
  Connect(peer.port());
  Open("/keep");
  ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
  Channel::CloseSoon(channel_);
  ASSERT_TRUE(Ended(1));
  EXPECT_THAT(ends(), ElementsAre(HasSubstr("CANCELLED")));
  EXPECT_TRUE(WaitUntil([&] { return peer.open == 0; }));
}

// Loops may stop while connections stand.
TEST_F(ChannelTest, ALoopMayEndBeforeIt) {
  Peer peer;
  {
    net::Loops loops(1);
    const auto channel = std::make_shared<Channel>(loops.at(0), At(peer.port()));
    std::promise<void> opened;
    loops.at(0).Post([&] {
      channel->Open({.method = "/keep"}, {.on_end = [](const absl::Status&) { FAIL() << "nobody is told"; }});
      opened.set_value();
    });
    opened.get_future().wait();
    ASSERT_TRUE(WaitUntil([&] { return peer.calls == 1; }));
    loops.Stop();
  }
  EXPECT_TRUE(WaitUntil([&] { return peer.open == 0; }));
}

}  // namespace
}  // namespace hubbub::http2
