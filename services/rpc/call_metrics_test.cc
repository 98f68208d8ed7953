#include "services/rpc/call_metrics.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/discovery/test_log.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"

namespace hubbub::rpc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Chat final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const chat::v1::SendRequest* request,
                                 chat::v1::SendResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->room() == "none") {
      reactor->Finish({grpc::StatusCode::NOT_FOUND, "no such room"});
    } else if (request->room() == "away") {
      reactor->Finish({grpc::StatusCode::UNAVAILABLE, "its owner is away"});
    } else if (request->room() == "broken") {
      reactor->Finish({grpc::StatusCode::INTERNAL, "this can not be"});
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

// Calls Send once for each room, and answers what was logged.
std::vector<std::string> LinesOf(spdlog::level::level_enum level, const std::vector<std::string>& rooms,
                                 const std::string& request_id) {
  Metrics metrics;
  const CallMetrics calls(metrics, {"hubbub.chat.v1.ChatService"});
  Chat service;
  auto server = Server::Start(
      {.host = "127.0.0.1", .services = {&service}, .extras = {.services = {}, .call_metrics = &calls}});
  EXPECT_TRUE(server.ok()) << server.status();
  const auto stub =
      chat::v1::ChatService::NewStub(MakeChannel("127.0.0.1:" + std::to_string((*server)->port())));
  const hubbub::testing::TestLog log(level);
  for (const std::string& room : rooms) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.AddMetadata("x-request-id", request_id);
    chat::v1::SendRequest request;
    request.set_room(room);
    request.set_content("the secret word");
    chat::v1::SendResponse response;
    stub->Send(&context, request, &response);
  }
  return log.lines();
}

TEST(CallMetrics, LogsEachCallWithItsRequestIdAtDebugAndMistakesAlways) {
  const auto line = [](const std::string& what, const std::string& code) {
    return AllOf(StartsWith("/hubbub.chat.v1.ChatService/Send" + what), HasSubstr("request=abc-1"),
                 HasSubstr("code=" + code), Not(HasSubstr("secret")));
  };
  EXPECT_THAT(LinesOf(spdlog::level::debug, {"a", "none", "broken"}, "abc-1"),
              ElementsAre(line("", "OK"), line(": no such room", "NOT_FOUND"),
                          line(": this can not be", "INTERNAL")));
  EXPECT_THAT(LinesOf(spdlog::level::info, {"a", "none", "away", "broken"}, "abc-1"),
              ElementsAre(line(": this can not be", "INTERNAL")));
}

TEST(CallMetrics, LogsNoRequestIdThatIsTooLongOrNotPlain) {
  for (const std::string& id : {std::string(65, 'x'), std::string("two words")}) {
    EXPECT_THAT(LinesOf(spdlog::level::debug, {"a"}, id), ElementsAre(Not(HasSubstr("request=")))) << id;
  }
}

}  // namespace
}  // namespace hubbub::rpc
