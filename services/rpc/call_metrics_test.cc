#include "services/rpc/call_metrics.h"

#include <memory>
#include <string>

#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"

namespace hubbub::rpc {
namespace {

class Chat final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const chat::v1::SendRequest* request,
                                 chat::v1::SendResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->room() == "none") {
      reactor->Finish({grpc::StatusCode::NOT_FOUND, "no such room"});
    } else if (request->room() == "away") {
      reactor->Finish({grpc::StatusCode::UNAVAILABLE, "its owner is away"});
    } else {
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }
};

double Errors(const Metrics& metrics, const std::string& code) {
  for (const auto& family : metrics.Read()) {
    for (const auto& series : family.series) {
      if (family.name == "hubbub_rpc_errors_total" && series.labels.at("code") == code) return series.value;
    }
  }
  return -1;
}

double Total(const Metrics& metrics, const std::string& method, const std::string& result) {
  for (const auto& family : metrics.Read()) {
    for (const auto& series : family.series) {
      if (family.name == "hubbub_rpc_total" && series.labels.at("method") == method &&
          series.labels.at("result") == result) {
        return series.value;
      }
    }
  }
  return -1;
}

uint64_t Timed(const Metrics& metrics, const std::string& method) {
  for (const auto& family : metrics.Read()) {
    for (const auto& series : family.series) {
      if (family.name == "hubbub_rpc_seconds" && series.labels.at("method") == method)
        return series.histogram.count;
    }
  }
  return UINT64_MAX;
}

TEST(CallMetrics, CountsCallsByMethodAndResult) {
  Metrics metrics;
  const CallMetrics calls(metrics, {"hubbub.chat.v1.ChatService", "no.such.Service"});
  Chat service;
  auto server = Server::Start(
      {.host = "127.0.0.1", .services = {&service}, .extras = {.services = {}, .call_metrics = &calls}});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto stub =
      chat::v1::ChatService::NewStub(MakeChannel("127.0.0.1:" + std::to_string((*server)->port())));
  for (const char* room : {"a", "b", "none", "away"}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    chat::v1::SendRequest request;
    request.set_room(room);
    chat::v1::SendResponse response;
    stub->Send(&context, request, &response);
  }
  EXPECT_EQ(Total(metrics, "ChatService.Send", "ok"), 2);
  EXPECT_EQ(Total(metrics, "ChatService.Send", "refused"), 1);
  EXPECT_EQ(Total(metrics, "ChatService.Send", "failed"), 1);
  EXPECT_EQ(Errors(metrics, "NOT_FOUND"), 1);
  EXPECT_EQ(Errors(metrics, "UNAVAILABLE"), 1);
  EXPECT_EQ(Errors(metrics, "INTERNAL"), 0);
  EXPECT_EQ(Errors(metrics, "OK"), -1) << "which is no error";
  EXPECT_EQ(Timed(metrics, "ChatService.Send"), 4u);
  EXPECT_EQ(Total(metrics, "ChatService.Kick", "ok"), 0);
  EXPECT_EQ(Timed(metrics, "ChatService.Subscribe"), UINT64_MAX) << "a stream has no end worth measuring";
}

}  // namespace
}  // namespace hubbub::rpc
