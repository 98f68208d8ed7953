#include "services/rpc/stream_keeper.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"
#include "gtest/gtest.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using connector::v1::ConnectorService;
using connector::v1::WatchStatusRequest;
using connector::v1::WatchStatusResponse;
using hubbub::testing::WaitUntil;

// Sends one status on each stream, then ends it at once, or holds it until it is cancelled.
class StatusServer final : public ConnectorService::CallbackService {
 public:
  explicit StatusServer(bool hold, uint16_t port = 0) : hold_(hold) {
    auto server = Server::Start({.host = "127.0.0.1", .port = port, .services = {this}});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  ~StatusServer() override { server_->Shutdown(0); }
  uint16_t port() const { return server_->port(); }

  grpc::ServerWriteReactor<WatchStatusResponse>* WatchStatus(grpc::CallbackServerContext*,
                                                             const WatchStatusRequest*) override {
    return new Stream(*this);
  }

  std::atomic<int> open{0};

 private:
  class Stream final : public grpc::ServerWriteReactor<WatchStatusResponse> {
   public:
    explicit Stream(StatusServer& server) : server_(server) {
      ++server_.open;
      status_.set_id("a server");
      StartWrite(&status_);
    }
    void OnWriteDone(bool) override {
      if (!server_.hold_) End(grpc::Status(grpc::StatusCode::ABORTED, "enough"));
    }
    void OnCancel() override { End(grpc::Status::CANCELLED); }
    void OnDone() override {
      --server_.open;
      delete this;
    }

   private:
    void End(const grpc::Status& status) {
      if (!ended_.exchange(true)) Finish(status);
    }
    StatusServer& server_;
    std::atomic<bool> ended_{false};
    WatchStatusResponse status_;
  };

  const bool hold_;
  std::unique_ptr<Server> server_;
};

// A keeper of a status stream, with what it was told.
class Watch {
 public:
  explicit Watch(uint16_t port)
      : stub_(ConnectorService::NewStub(MakeChannel("127.0.0.1:" + std::to_string(port)))),
        keeper({.open = [this](auto* context, const auto* request,
                               auto* reactor) { stub_->async()->WatchStatus(context, request, reactor); },
                .request =
                    [this] {
                      ++attempts;
                      return WatchStatusRequest();
                    },
                .on_message =
                    [this](WatchStatusResponse& status) {
                      EXPECT_EQ(status.id(), "a server");
                      EXPECT_FALSE(busy_.exchange(true)) << "one callback at a time";
                      ++messages;
                      busy_ = false;
                    },
                .on_end =
                    [this](const grpc::Status& status) {
                      EXPECT_FALSE(busy_.exchange(true)) << "one callback at a time";
                      last_code = status.error_code();
                      ++ends;
                      busy_ = false;
                    }}) {}

  std::atomic<int> attempts{0};
  std::atomic<int> messages{0};
  std::atomic<int> ends{0};
  std::atomic<int> last_code{0};

 private:
  std::atomic<bool> busy_{false};
  std::unique_ptr<ConnectorService::Stub> stub_;

 public:
  StreamKeeper<WatchStatusRequest, WatchStatusResponse> keeper;
};

// A port that nobody listens on.
uint16_t DeadPort() {
  return StatusServer(true).port();
}

TEST(StreamKeeper, OpensAStreamAgainWhenItEnds) {
  StatusServer server(/*hold=*/false);
  Watch watch(server.port());
  watch.keeper.Start();
  EXPECT_TRUE(WaitUntil([&] { return watch.messages >= 4; }));
  watch.keeper.Stop();
  EXPECT_GE(watch.ends, 3);
  EXPECT_GE(watch.attempts, watch.messages) << "the request is made again for each attempt";
}

TEST(StreamKeeper, ComesBackWhenTheServerDoes) {
  auto server = std::make_unique<StatusServer>(/*hold=*/true);
  const uint16_t port = server->port();
  Watch watch(port);
  watch.keeper.Start();
  ASSERT_TRUE(WaitUntil([&] { return watch.messages == 1; }));
  server.reset();
  ASSERT_TRUE(WaitUntil([&] { return watch.ends >= 1; }));
  server = std::make_unique<StatusServer>(/*hold=*/true, port);
  EXPECT_TRUE(WaitUntil([&] { return watch.messages == 2; }));
}

// A server whose machine takes connections, and which says its first word on each only after a while.
class SlowToAnswer {
 public:
  explicit SlowToAnswer(StatusServer& service) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, raw, size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        pollfd waits = {.fd = listener_, .events = POLLIN, .revents = 0};
        if (poll(&waits, 1, 20) <= 0) continue;
        const int connection = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        std::this_thread::sleep_for(std::chrono::milliseconds(700));  // It is busy: this is what is tested.
        grpc::AddInsecureChannelFromFd(server_.get(), connection);
      }
    });
  }
  ~SlowToAnswer() {
    thread_ = {};
    close(listener_);
    server_->Shutdown(std::chrono::system_clock::now());
  }
  uint16_t port() const { return port_; }

 private:
  std::unique_ptr<grpc::Server> server_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::jthread thread_;
};

TEST(StreamKeeper, ReachesAServerThatIsBusy) {
  StatusServer service(/*hold=*/true);
  const SlowToAnswer server(service);
  Watch watch(server.port());
  watch.keeper.Start();
  EXPECT_TRUE(WaitUntil([&] { return watch.messages == 1; }));
  EXPECT_EQ(watch.attempts, 1);
}

TEST(StreamKeeper, StartsOnce) {
  StatusServer server(/*hold=*/true);
  Watch watch(server.port());
  for (int i = 0; i < 3; ++i) watch.keeper.Start();
  ASSERT_TRUE(WaitUntil([&] { return watch.messages == 1; }));
  watch.keeper.Start();
  EXPECT_EQ(watch.attempts, 1);
}

TEST(StreamKeeper, StopsWhileItReads) {
  StatusServer server(/*hold=*/true);
  Watch watch(server.port());
  watch.keeper.Start();
  ASSERT_TRUE(WaitUntil([&] { return watch.messages == 1; }));
  watch.keeper.Stop();
  EXPECT_EQ(watch.ends, 0) << "nothing has happened to the server";
  EXPECT_TRUE(WaitUntil([&] { return server.open == 0; }));
  watch.keeper.Start();
  EXPECT_EQ(watch.attempts, 1) << "the end is the end";
}

TEST(StreamKeeper, StopsWhileItWaits) {
  Watch watch(DeadPort());
  watch.keeper.Start();
  // With each attempt the wait for the next is longer, so that Stop most likely comes within one.
  ASSERT_TRUE(WaitUntil([&] { return watch.ends >= 3; }));
  watch.keeper.Stop();
  EXPECT_GE(watch.ends, watch.attempts - 1) << "but for one that Stop has ended";
  EXPECT_EQ(watch.last_code, grpc::StatusCode::UNAVAILABLE);
}

TEST(StreamKeeper, StopsAtAnyMoment) {
  const uint16_t dead = DeadPort();
  StatusServer server(/*hold=*/false);
  for (int i = 0; i < 100; ++i) {
    Watch watch(i % 2 == 0 ? server.port() : dead);
    watch.keeper.Start();
    // A moment that differs from one round to the next.
    for (int spin = 0; spin < i * 20; ++spin) std::this_thread::yield();
    watch.keeper.Stop();
    const int ends = watch.ends;
    EXPECT_GE(ends, watch.attempts - 1) << "but for one that Stop has ended";
    std::this_thread::yield();
    EXPECT_EQ(watch.ends, ends) << "no callback after Stop";
  }
}

TEST(StreamKeeper, StopsThoughItNeverStarted) {
  Watch watch(DeadPort());
  watch.keeper.Stop();
  watch.keeper.Stop();
  watch.keeper.Start();
  EXPECT_EQ(watch.attempts, 0);
}

TEST(StreamKeeper, SeveralMayStopIt) {
  StatusServer server(/*hold=*/true);
  Watch watch(server.port());
  watch.keeper.Start();
  std::vector<std::thread> stoppers;
  for (int i = 0; i < 4; ++i) {
    stoppers.emplace_back([&] { watch.keeper.Stop(); });
  }
  for (std::thread& stopper : stoppers) stopper.join();
  EXPECT_TRUE(WaitUntil([&] { return server.open == 0; }));
}

}  // namespace
}  // namespace hubbub::rpc
