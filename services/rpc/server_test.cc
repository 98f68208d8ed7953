#include "services/rpc/server.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Refusing final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const chat::v1::SendRequest*,
                                 chat::v1::SendResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish({grpc::StatusCode::NOT_FOUND, "no such room for " + context->peer()});
    return reactor;
  }
};

struct Running {
  explicit Running(bool reflection = true, ServerExtras extras = {}) {
    auto started = Server::Start(
        {.host = "127.0.0.1", .reflection = reflection, .services = {&service}, .extras = std::move(extras)});
    EXPECT_TRUE(started.ok()) << started.status();
    if (started.ok()) server = *std::move(started);
  }
  Refusing service;
  std::unique_ptr<Server> server;
};

std::shared_ptr<grpc::Channel> ChannelTo(const Server& server) {
  return grpc::CreateChannel("127.0.0.1:" + std::to_string(server.port()),
                             grpc::InsecureChannelCredentials());
}

// A call of a method whose types this test has not: empty request, raw response.
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};
RawAnswer CallRaw(const Server& server, const std::string& method) {
  grpc::GenericStub stub(ChannelTo(server));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(nullptr, 0), &queue);
  call->StartCall();
  RawAnswer answer;
  grpc::ByteBuffer response;
  call->Finish(&response, &answer.status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (answer.status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices)
      answer.bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return answer;
}

constexpr const char* kHealth = "/grpc.health.v1.Health/Check";

TEST(Server, APortInUseIsOneClearError) {
  const Running running;
  const Server* first = running.server.get();
  ASSERT_NE(first->port(), 0);
  const absl::Status second =
      Server::Start({.host = "127.0.0.1", .port = first->port(), .services = {}}).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(second.message()), "cannot serve gRPC on 127.0.0.1:" + std::to_string(first->port()) +
                                               ": another program has this port");
}

TEST(Server, AnAddressThatIsNotHereIsSaidSo) {
  // An address of documentation: no machine has it.
  const absl::Status status = Server::Start({.host = "203.0.113.1", .services = {}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot serve gRPC on 203.0.113.1:0: "));
}

TEST(Server, TheHealthServiceSaysWhetherItServes) {
  const Running running;
  Server* server = running.server.get();
  // HealthCheckResponse{status: SERVING = 1, NOT_SERVING = 2}.
  EXPECT_EQ(CallRaw(*server, kHealth).bytes, "\x08\x01");
  server->SetServing(false);
  EXPECT_EQ(CallRaw(*server, kHealth).bytes, "\x08\x02");
  server->SetServing(true);
  EXPECT_EQ(CallRaw(*server, kHealth).bytes, "\x08\x01");
}

TEST(Server, ReflectionIsAChoiceOfEachServer) {
  const Running with(/*reflection=*/true);
  const Running without(/*reflection=*/false);
  const Running also(/*reflection=*/true);
  for (const char* method : {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                             "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_NE(CallRaw(*with.server, method).status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(CallRaw(*without.server, method).status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_NE(CallRaw(*also.server, method).status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
}

// Under both names: what is asked for on one stream is answered there, in order.
template <typename Stub>
void AskForServices(std::unique_ptr<Stub> stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const auto stream = stub->ServerReflectionInfo(&context);
  Reflection::Request request;
  request.set_list_services("");
  Reflection::Response response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  std::vector<std::string> services;
  for (const auto& service : response.list_services_response().service()) services.push_back(service.name());
  EXPECT_THAT(services,
              ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                          "grpc.reflection.v1alpha.ServerReflection", "hubbub.chat.v1.ChatService"));
  for (const std::string& service : services) {
    request.set_file_containing_symbol(service);
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 0) << service;
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(Server, ReflectionKnowsEveryServiceThatTheServerHas) {
  const Running running;
  AskForServices(grpc::reflection::v1::ServerReflection::NewStub(ChannelTo(*running.server)));
  AskForServices(grpc::reflection::v1alpha::ServerReflection::NewStub(ChannelTo(*running.server)));
}

grpc::Status Call(chat::v1::ChatService::Stub& stub) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  chat::v1::SendResponse response;
  return stub.Send(&context, {}, &response);
}

TEST(Server, ACallKnowsWhereItCameFrom) {
  const Running running;
  const auto stub = chat::v1::ChatService::NewStub(ChannelTo(*running.server));
  EXPECT_THAT(Call(*stub).error_message(), HasSubstr("no such room for ipv4:127.0.0.1:"));
}

TEST(Server, AnswersAgainAfterItHadNoDescriptorLeft) {
  const testing::TestLog log;
  const Running running;
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  // UBSan looks at the types of what is logged, once each, and needs descriptors for it.
  spdlog::warn("no descriptor from here: {} {} {}", uint16_t{1}, std::string("x"), 2);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 4;  // All of these are open, and stay so.
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(running.server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(testing::WaitUntil([&] { return log.lines().size() > 1; })) << "it says that nobody gets in";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto stub = chat::v1::ChatService::NewStub(ChannelTo(*running.server));
  EXPECT_EQ(Call(*stub).error_code(), grpc::StatusCode::NOT_FOUND);
  close(client);
}

TEST(Server, AConnectionThatIsOldEndsAndTheNextCallHasANewOne) {
  const Running running(/*reflection=*/true, {.max_connection_age = std::chrono::milliseconds(200)});
  const auto channel = ChannelTo(*running.server);
  const auto stub = chat::v1::ChatService::NewStub(channel);
  const std::string first = Call(*stub).error_message();
  EXPECT_TRUE(testing::WaitUntil([&] { return channel->GetState(false) != GRPC_CHANNEL_READY; }));
  const grpc::Status again = Call(*stub);
  EXPECT_EQ(again.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_NE(again.error_message(), first) << "by another port";
}

TEST(Server, EndsWhileOthersConnect) {
  for (int round = 0; round < 10; ++round) {
    const Running running;
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(running.server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::atomic<int> connected = 0;
    std::jthread others([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const int client = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) ++connected;
        close(client);
      }
    });
    EXPECT_TRUE(testing::WaitUntil([&] { return connected > 5; }));
    running.server->Shutdown(0);
  }
}

TEST(Server, ServesItsServicesUntilItIsShutDown) {
  const Running running;
  Server* server = running.server.get();
  const auto stub = chat::v1::ChatService::NewStub(ChannelTo(*server));
  const auto call = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    chat::v1::SendResponse response;
    return stub->Send(&context, {}, &response).error_code();
  };
  EXPECT_EQ(call(), grpc::StatusCode::NOT_FOUND);
  server->Shutdown(0);
  server->Shutdown(0);
  EXPECT_EQ(call(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace hubbub::rpc
