#include "services/rpc/status_service.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"

namespace hubbub::rpc {
namespace {

class StatusServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::Start({.host = "127.0.0.1", .services = {&service_}});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    stub_ =
        directory::v1::StatusService::NewStub(MakeChannel("127.0.0.1:" + std::to_string(server_->port())));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context_.set_wait_for_ready(true);
    stream_ = stub_->WatchStatus(&context_, {});
  }

  std::atomic<uint32_t> rooms_{3};
  std::atomic<bool> draining_{false};
  StatusService service_{"chat-1", [this](StatusService::Status& status) {
                           status.set_rooms(rooms_);
                           status.set_draining(draining_);
                         }};
  std::unique_ptr<Server> server_;
  std::unique_ptr<directory::v1::StatusService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<StatusService::Status>> stream_;
  StatusService::Status status_;
};

TEST_F(StatusServiceTest, TellsTheStatusAtOnceAndEveryChange) {
  ASSERT_TRUE(stream_->Read(&status_));
  EXPECT_EQ(status_.id(), "chat-1");
  EXPECT_EQ(status_.version(), HUBBUB_VERSION);
  EXPECT_EQ(status_.rooms(), 3u);
  EXPECT_GE(status_.cpu_load(), 0);
  EXPECT_EQ(service_.Now().rooms(), 3u);
  rooms_ = 4;
  while (stream_->Read(&status_) && status_.rooms() != 4) {
  }
  EXPECT_EQ(status_.rooms(), 4u);
  draining_ = true;
  while (stream_->Read(&status_) && !status_.draining()) {
  }
  EXPECT_TRUE(status_.draining());
}

TEST_F(StatusServiceTest, TellsTheLoadOnceItHasWorked) {
  std::atomic<bool> enough{false};
  std::thread work([&] {
    while (!enough) {
    }
  });
  while (stream_->Read(&status_) && status_.cpu_load() == 0) {
  }
  enough = true;
  work.join();
  EXPECT_GT(status_.cpu_load(), 0);
}

TEST_F(StatusServiceTest, EndsItsStreamsWhenItShutsDown) {
  ASSERT_TRUE(stream_->Read(&status_));
  service_.Shutdown();
  while (stream_->Read(&status_)) {
  }
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  rooms_ = 5;
  EXPECT_TRUE(service_.Now().draining());
  EXPECT_EQ(service_.Now().rooms(), 0u) << "the program may have ended its parts";
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  context.set_wait_for_ready(true);
  const auto late = stub_->WatchStatus(&context, {});
  EXPECT_FALSE(late->Read(&status_));
  EXPECT_EQ(late->Finish().error_message(), "\"chat-1\" is shutting down");
}

}  // namespace
}  // namespace hubbub::rpc
