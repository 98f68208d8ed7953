#include "services/rpc/grpc_call.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/http2/channel.h"
#include "services/http2/message_framing.h"
#include "services/net/testing/on_loop.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using hubbub::testing::WaitUntil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTalk = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

// Calls by gRPC's library and by http2::Channel do the same at a real server. The service that it has is
// reflection, which answers each message.
class CallTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    StartServer(0);
    if (GetParam()) {
      open_ = GrpcCalls(loops_.at(0), MakeChannel("127.0.0.1:" + std::to_string(port_)));
    } else {
      own_ = std::make_shared<http2::Channel>(
          loops_.at(0), net::asio::ip::tcp::endpoint(net::asio::ip::make_address("127.0.0.1"), port_));
      open_ = [this](http2::CallRequest request, http2::CallEvents events) {
        return own_->Open(std::move(request), std::move(events));
      };
    }
  }
  void TearDown() override {
    net::OnLoop(loops_.at(0), [this] {
      if (call_ != nullptr) call_->Cancel();
      call_ = nullptr;
      if (own_ != nullptr) own_->Close();
    });
    loops_.Stop();
  }
  void StartServer(uint16_t port) {
    auto server = Server::Start({.host = "127.0.0.1", .port = port, .reflection = true, .services = {}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    port_ = server_->port();
  }
  void Open(const std::string& method) {
    net::OnLoop(loops_.at(0), [&] {
      call_ = open_({.method = method},
                    {.on_message =
                         [this](std::string_view message) {
                           ServerReflectionResponse response;
                           response.ParseFromArray(message.data(), static_cast<int>(message.size()));
                           Tell(response.original_request().host());
                         },
                     .on_written = [this] { Tell("written"); },
                     .on_end = [this](const absl::Status& status) { Tell("end " + status.ToString()); }});
    });
  }
  // The answer repeats the host.
  void Say(const std::string& host) {
    ServerReflectionRequest request;
    request.set_host(host);
    request.set_list_services("");
    net::OnLoop(loops_.at(0), [&] { call_->Write(http2::FrameMessage(request)); });
  }
  void Tell(std::string what) {
    const MutexLock lock(mu_);
    told_.push_back(std::move(what));
  }
  std::vector<std::string> told() const {
    const MutexLock lock(mu_);
    return told_;
  }
  bool Told(size_t things) const {
    return WaitUntil([&] { return told().size() >= things; });
  }

  uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
  net::Loops loops_{1};
  std::shared_ptr<http2::Channel> own_;
  http2::OpenCall open_;
  std::shared_ptr<http2::Call> call_;
  mutable Mutex mu_;
  std::vector<std::string> told_ ABSL_GUARDED_BY(mu_);
};

INSTANTIATE_TEST_SUITE_P(By, CallTest, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Grpc" : "Loop"; });

TEST_P(CallTest, MessagesAreAnsweredUntilTheClientEnds) {
  Open(kTalk);
  Say("one");
  ASSERT_TRUE(Told(2));
  EXPECT_THAT(told(), ::testing::UnorderedElementsAre("written", "one"));
  const std::string large(200'000, 'x');
  Say(large);
  ASSERT_TRUE(Told(4));
  EXPECT_THAT(told(), ::testing::Contains(large));
  net::OnLoop(loops_.at(0), [this] { call_->EndWrites(); });
  ASSERT_TRUE(Told(5));
  EXPECT_EQ(told().back(), "end OK");
}

TEST_P(CallTest, AMethodThatTheServerDoesNotHave) {
  Open("/hubbub.Nothing/Nothing");
  ASSERT_TRUE(Told(1));
  EXPECT_THAT(told().back(), HasSubstr("end UNIMPLEMENTED"));
}

TEST_P(CallTest, ACallThatIsCancelled) {
  Open(kTalk);
  Say("one");
  ASSERT_TRUE(Told(2));
  net::OnLoop(loops_.at(0), [this] { call_->Cancel(); });
  ASSERT_TRUE(Told(3));
  EXPECT_THAT(told().back(), HasSubstr("end CANCELLED"));
}

TEST_P(CallTest, AServerThatEndsAndComesBack) {
  Open(kTalk);
  Say("one");
  ASSERT_TRUE(Told(2));
  server_->Shutdown(0);
  ASSERT_TRUE(Told(3));
  EXPECT_THAT(told().back(), ::testing::StartsWith("end "));
  server_ = nullptr;
  Open(kTalk);
  ASSERT_TRUE(Told(4));
  EXPECT_THAT(told().back(), HasSubstr("end UNAVAILABLE"));
  EXPECT_THAT(told().back(), HasSubstr("Connection refused"));
  StartServer(port_);
  // gRPC's library lets calls fail until its pause is over.
  ASSERT_TRUE(WaitUntil([&] {
    const size_t before = told().size();
    Open(kTalk);
    Say("again");
    return Told(before + 1) && told().back().find("end") == std::string::npos;
  }));
}

// Connections that are too old, by --max_connection_age, take no more calls; the next call has another one.
TEST_P(CallTest, AServerThatSendsConnectionsAway) {
  server_->Shutdown(0);
  server_ = nullptr;
  auto server = Server::Start({.host = "127.0.0.1",
                               .port = port_,
                               .reflection = true,
                               .services = {},
                               .extras = {.max_connection_age = std::chrono::milliseconds(50),
                                          .max_connection_age_grace = std::chrono::milliseconds(50)}});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(WaitUntil([&] {
      const size_t before = told().size();
      Open(kTalk);
      Say("now");
      return WaitUntil([&] { return told().size() > before; }) &&
             told().back().find("end") == std::string::npos;
    }));
    ASSERT_TRUE(WaitUntil([&] { return told().back().starts_with("end UNAVAILABLE"); })) << told().back();
  }
}

}  // namespace
}  // namespace hubbub::rpc
