#include "services/rpc/call_metrics.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "prometheus/text_serializer.h"
#include "services/rpc/channel.h"
#include "services/rpc/server.h"
#include "services/testing/test_log.h"

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
      reactor->Finish({grpc::StatusCode::INTERNAL, "this cannot be"});
    } else {
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }
};

TEST(CallMetrics, CountsCallsByMethodAndResult) {
  metrics::Metrics metrics;
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
  const std::string text = prometheus::TextSerializer().Serialize(metrics.Collect());
  for (const char* line : {
           R"(hubbub_rpc_total{method="ChatService.Send",result="ok"} 2)",
           R"(hubbub_rpc_total{method="ChatService.Send",result="refused"} 1)",
           R"(hubbub_rpc_total{method="ChatService.Send",result="failed"} 1)",
           R"(hubbub_rpc_total{method="ChatService.Kick",result="ok"} 0)",
           R"(hubbub_rpc_errors_total{code="NOT_FOUND"} 1)",
           R"(hubbub_rpc_errors_total{code="UNAVAILABLE"} 1)",
           R"(hubbub_rpc_errors_total{code="INTERNAL"} 0)",
           R"(hubbub_rpc_seconds_count{method="ChatService.Send"} 4)",
       })
    EXPECT_THAT(text, HasSubstr(std::string("\n") + line + "\n"));
  EXPECT_THAT(text, Not(HasSubstr(R"(code="OK")"))) << "which is no error";
  EXPECT_THAT(text, Not(HasSubstr(R"(hubbub_rpc_seconds_count{method="ChatService.Subscribe"})")))
      << "a stream has no end worth measuring";
}

// Calls Send once for each room, and answers what was logged.
std::vector<std::string> LinesOf(spdlog::level::level_enum level, const std::vector<std::string>& rooms,
                                 const std::string& request_id) {
  metrics::Metrics metrics;
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
  EXPECT_THAT(
      LinesOf(spdlog::level::debug, {"a", "none", "broken"}, "abc-1"),
      ElementsAre(line("", "OK"), line(": no such room", "NOT_FOUND"), line(": this cannot be", "INTERNAL")));
  EXPECT_THAT(LinesOf(spdlog::level::info, {"a", "none", "away", "broken"}, "abc-1"),
              ElementsAre(line(": this cannot be", "INTERNAL")));
}

TEST(CallMetrics, LogsNoRequestIdThatIsTooLongOrNotPlain) {
  for (const std::string& id : {std::string(65, 'x'), std::string("two words")}) {
    EXPECT_THAT(LinesOf(spdlog::level::debug, {"a"}, id), ElementsAre(Not(HasSubstr("request=")))) << id;
  }
}

}  // namespace
}  // namespace hubbub::rpc
