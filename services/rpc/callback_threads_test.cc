#include "services/rpc/callback_threads.h"

#include <latch>
#include <list>
#include <mutex>
#include <set>
#include <thread>

#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"

namespace hubbub::rpc {
namespace {

// The threads that run the callbacks of many calls at a time.
std::set<std::thread::id> ThreadsOfCallbacks() {
  struct Call {
    grpc::ClientContext context;
    chat::v1::SendRequest request;
    chat::v1::SendResponse response;
  };
  constexpr int kCalls = 200;
  const auto stub = chat::v1::ChatService::NewStub(grpc::CreateChannel("", nullptr));
  std::list<Call> calls;
  std::latch done(kCalls);
  std::mutex mu;
  std::set<std::thread::id> threads;
  for (int i = 0; i < kCalls; ++i) {
    Call& call = calls.emplace_back();
    stub->async()->Send(&call.context, &call.request, &call.response, [&](const grpc::Status& status) {
      EXPECT_FALSE(status.ok());
      const std::lock_guard lock(mu);
      threads.insert(std::this_thread::get_id());
      done.count_down();
    });
  }
  done.wait();
  const std::lock_guard lock(mu);
  return threads;
}

TEST(CallbackThreads, KeepsOne) {
  const CallbackThreads threads(1);
  EXPECT_EQ(threads.parked(), CallbackThreads::Made() - 1);
  EXPECT_EQ(ThreadsOfCallbacks().size(), 1u);
}

TEST(CallbackThreads, NeverTakesTheLastOne) {
  const CallbackThreads threads(0);
  EXPECT_EQ(ThreadsOfCallbacks().size(), 1u);
}

TEST(CallbackThreads, MoreThanGrpcMakesIsNoMistake) {
  const CallbackThreads threads(CallbackThreads::Made() + 1);
  EXPECT_EQ(threads.parked(), 0);
  EXPECT_GE(ThreadsOfCallbacks().size(), 1u);
}

TEST(CallbackThreads, LeavesNothingBehind) {
  for (int i = 0; i < 20; ++i) const CallbackThreads threads(1);
  EXPECT_GE(ThreadsOfCallbacks().size(), 1u);
}

}  // namespace
}  // namespace hubbub::rpc
