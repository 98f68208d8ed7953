#include "services/rpc/health_service.h"

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "services/rpc/server.h"

namespace hubbub::rpc {
namespace {

using grpc::health::v1::Health;

// A server that has a service of its own beside health: reflection.
class HealthServiceTest : public ::testing::Test {
 protected:
  using Request = HealthService::Request;
  using Response = HealthService::Response;

  HealthServiceTest() {
    auto started = Server::Start({.host = "127.0.0.1", .services = {}});
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
    stub_ = Health::NewStub(channel_);
  }

  struct Watch {
    Watch(Health::Stub& stub, const std::string& service) {
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      Request request;
      request.set_service(service);
      stream = stub.Watch(&context, request);
    }
    // The next status that is told; nothing at the stream's end.
    std::optional<Response::ServingStatus> Next() const {
      Response response;
      return stream->Read(&response) ? std::optional(response.status()) : std::nullopt;
    }
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<Response>> stream;
  };

  grpc::Status Check(const std::string& service, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    Request request;
    request.set_service(service);
    return stub_->Check(&context, request, &response);
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Health::Stub> stub_;
};

constexpr const char* kServices[] = {"", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                     "grpc.reflection.v1alpha.ServerReflection"};

TEST_F(HealthServiceTest, CheckTellsOfTheServerAndOfEachOfItsServices) {
  for (const bool serving : {true, false, true}) {
    server_->SetServing(serving);
    for (const char* service : kServices) {
      Response response;
      EXPECT_TRUE(Check(service, response).ok()) << service;
      EXPECT_EQ(response.status(), serving ? Response::SERVING : Response::NOT_SERVING) << service;
    }
  }
}

TEST_F(HealthServiceTest, CheckOfAnotherServiceIsNotFound) {
  Response response;
  EXPECT_EQ(Check("no.such.Service", response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthServiceTest, ListTellsOfAll) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  HealthService::ListResponse response;
  ASSERT_TRUE(stub_->List(&context, {}, &response).ok());
  ASSERT_EQ(response.statuses_size(), static_cast<int>(std::size(kServices)));
  for (const char* service : kServices) {
    ASSERT_TRUE(response.statuses().contains(service)) << service;
    EXPECT_EQ(response.statuses().at(service).status(), Response::SERVING);
  }
}

TEST_F(HealthServiceTest, WatchTellsTheStateAndEachChange) {
  for (const char* service : {"", "grpc.health.v1.Health"}) {
    server_->SetServing(true);
    const Watch watch(*stub_, service);
    EXPECT_EQ(watch.Next(), Response::SERVING);
    server_->SetServing(true);  // No news.
    server_->SetServing(false);
    EXPECT_EQ(watch.Next(), Response::NOT_SERVING);
    server_->SetServing(true);
    EXPECT_EQ(watch.Next(), Response::SERVING);
  }
}

TEST_F(HealthServiceTest, APartHasAStatusOfItsOwn) {
  const Watch watch(*stub_, "database");
  EXPECT_EQ(watch.Next(), Response::SERVICE_UNKNOWN) << "not yet";
  server_->SetPartServing("database", true);
  EXPECT_EQ(watch.Next(), Response::SERVING);
  server_->SetPartServing("database", false);
  EXPECT_EQ(watch.Next(), Response::NOT_SERVING);
  Response response;
  EXPECT_TRUE(Check("database", response).ok());
  EXPECT_EQ(response.status(), Response::NOT_SERVING);
  EXPECT_TRUE(Check("", response).ok());
  EXPECT_EQ(response.status(), Response::SERVING) << "the server goes on without it";
  grpc::ClientContext context;
  HealthService::ListResponse all;
  ASSERT_TRUE(stub_->List(&context, {}, &all).ok());
  EXPECT_EQ(all.statuses().at("database").status(), Response::NOT_SERVING);
}

TEST_F(HealthServiceTest, WatchOfAnotherServiceIsUnknownAndGoesOn) {
  Watch watch(*stub_, "no.such.Service");
  EXPECT_EQ(watch.Next(), Response::SERVICE_UNKNOWN);
  server_->SetServing(false);
  server_->Shutdown(20'000);
  EXPECT_EQ(watch.Next(), std::nullopt);
  EXPECT_EQ(watch.stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(HealthServiceTest, AWatchDoesNotHoldUpTheEnd) {
  Watch watch(*stub_, "");
  EXPECT_EQ(watch.Next(), Response::SERVING);
  server_->Shutdown(/*grace_ms=*/20'000);
  EXPECT_EQ(watch.Next(), Response::NOT_SERVING);
  EXPECT_EQ(watch.Next(), std::nullopt);
  EXPECT_EQ(watch.stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE)
      << "it was told, and not cancelled after the grace";
}

}  // namespace
}  // namespace hubbub::rpc
