#include "services/rpc/unary.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/http2/channel.h"
#include "services/net/loop.h"
#include "services/rpc/channel.h"
#include "services/rpc/grpc_call.h"
#include "services/rpc/owner_hint.h"
#include "services/rpc/server.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using hubbub::testing::WaitUntil;

constexpr const char* kSend = "/hubbub.chat.v1.ChatService/Send";

// Answers as the room's name says: "yes", "moved", "never".
class Rooms final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const chat::v1::SendRequest* request,
                                 chat::v1::SendResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->room() == "yes") {
      response->set_offset(RequestIdIn(context->client_metadata()) == "9-1" ? 91 : 1);
      reactor->Finish(grpc::Status::OK);
    } else if (request->room() == "moved") {
      context->AddTrailingMetadata(kOwnerKey, "chat-2");
      reactor->Finish({grpc::StatusCode::FAILED_PRECONDITION, "chat-2 has the room"});
    }
    if (request->room() != "never") return reactor;
    return new Never;
  }

 private:
  class Never final : public grpc::ServerUnaryReactor {
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };
};

// By gRPC's library and by http2::Channel.
class UnaryTest : public ::testing::TestWithParam<bool> {
 protected:
  UnaryTest() {
    auto server = Server::Start({.host = "127.0.0.1", .services = {&rooms_}});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    if (GetParam()) {
      open_ = GrpcCalls(loops_.at(0), MakeChannel("127.0.0.1:" + std::to_string(server_->port())));
    } else {
      own_ = std::make_shared<http2::Channel>(
          loops_.at(0),
          net::asio::ip::tcp::endpoint(net::asio::ip::make_address("127.0.0.1"), server_->port()));
      open_ = [this](http2::CallRequest request, http2::CallEvents events) {
        return own_->Open(std::move(request), std::move(events));
      };
    }
  }
  ~UnaryTest() override {
    if (own_ != nullptr) http2::Channel::CloseSoon(own_);
    loops_.Stop();
    server_->Shutdown(0);
  }

  // The outcome, once it is there.
  absl::Status Send(const std::string& room, std::chrono::milliseconds timeout = kUnaryDeadline,
                    const std::string& request_id = {}) {
    std::atomic<bool> done = false;
    absl::Status outcome;
    loops_.at(0).Post([&] {
      chat::v1::SendRequest request;
      request.set_room(room);
      CallUnary<chat::v1::SendResponse>(
          loops_.at(0), open_, kSend, request,
          [&](absl::Status status, const chat::v1::SendResponse& response) {
            outcome = std::move(status);
            offset_ = response.offset();
            done = true;
          },
          timeout, request_id);
    });
    EXPECT_TRUE(WaitUntil([&] { return done.load(); }));
    return outcome;
  }

  Rooms rooms_;
  std::unique_ptr<Server> server_;
  net::Loops loops_{1};
  std::shared_ptr<http2::Channel> own_;
  http2::OpenCall open_;
  uint64_t offset_ = 0;
};

INSTANTIATE_TEST_SUITE_P(By, UnaryTest, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Grpc" : "Loop"; });

TEST_P(UnaryTest, BringsTheAnswer) {
  EXPECT_TRUE(Send("yes").ok());
  EXPECT_EQ(offset_, 1u);
  EXPECT_TRUE(Send("yes", kUnaryDeadline, "9-1").ok());
  EXPECT_EQ(offset_, 91u);
}

TEST_P(UnaryTest, ARefusalNamesTheOwner) {
  const absl::Status status = Send("moved");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "chat-2 has the room");
  EXPECT_EQ(OwnerIn(status), "chat-2");
}

TEST_P(UnaryTest, AnAnswerThatDoesNotComeIsNotWaitedFor) {
  const absl::Status status = Send("never", std::chrono::milliseconds(50));
  EXPECT_EQ(status, absl::DeadlineExceededError("no answer within 50 ms"));
}

TEST_P(UnaryTest, ADeadServerIsUnavailable) {
  server_->Shutdown(0);
  EXPECT_EQ(Send("yes").code(), absl::StatusCode::kUnavailable);
}

// The loop waits for the end of a call that nobody else waits for.
TEST_P(UnaryTest, ALoopThatStopsWaitsForTheAnswer) {
  bool done = false;
  loops_.at(0).Post([&] {
    chat::v1::SendRequest request;
    request.set_room("never");
    CallUnary<chat::v1::SendResponse>(
        loops_.at(0), open_, kSend, request,
        [&](const absl::Status&, const chat::v1::SendResponse&) { done = true; },
        std::chrono::milliseconds(50));
  });
  std::atomic<bool> posted = false;
  loops_.at(0).Post([&] { posted = true; });
  ASSERT_TRUE(WaitUntil([&] { return posted.load(); }));
  loops_.Stop();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace hubbub::rpc
