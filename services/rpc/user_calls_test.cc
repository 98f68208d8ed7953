#include "services/rpc/user_calls.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/rpc/channel.h"
#include "services/rpc/request_id.h"
#include "services/rpc/server.h"

namespace hubbub::rpc {
namespace {

namespace v1 = connector::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRequestId[] = "back-end-7";

// A server on a port of its own, and a way to it.
class OnAPort : public v1::ConnectorService::CallbackService {
 public:
  ~OnAPort() override { Stop(); }
  void Serve() {
    auto server = Server::Start({.host = "127.0.0.1", .services = {this}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::ConnectorService::NewStub(
        MakeChannel(std::string("127.0.0.1:") + std::to_string(server_->port())));
  }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(0);
  }
  std::shared_ptr<v1::ConnectorService::Stub> stub() const { return stub_; }

 private:
  std::unique_ptr<Server> server_;
  std::shared_ptr<v1::ConnectorService::Stub> stub_;
};

// A connector with one user, who has some sessions there.
class FakeConnector final : public OnAPort {
 public:
  FakeConnector(std::string user, uint32_t sessions) : user_(std::move(user)), sessions_(sessions) {}

  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const v1::DisconnectRequest* request,
                                       v1::DisconnectResponse* response) override {
    if (request->user() != user_) return End(context, {grpc::StatusCode::NOT_FOUND, "not here"});
    response->set_sessions(sessions_);
    return End(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context, const v1::PushRequest* request,
                                 v1::PushResponse* response) override {
    if (request->route().empty()) return End(context, {grpc::StatusCode::INVALID_ARGUMENT, "no route"});
    for (const std::string& user : request->users()) {
      if (user == user_) response->set_sessions(response->sessions() + sessions_);
      if (user != user_) response->add_missing_users(user);
    }
    return End(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* Broadcast(grpc::CallbackServerContext* context, const v1::BroadcastRequest*,
                                      v1::BroadcastResponse* response) override {
    if (silent) return new Silent;
    response->set_sessions(sessions_);
    return End(context, grpc::Status::OK);
  }

  std::atomic<int> forwarded{0};
  std::atomic<bool> silent{false};

 private:
  // Answers nothing until the caller has given up.
  class Silent final : public grpc::ServerUnaryReactor {
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };

  grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context, const grpc::Status& status) {
    if (WasForwarded(*context)) {
      ++forwarded;
      EXPECT_EQ(RequestIdIn(context->client_metadata()), kRequestId) << "the caller's id goes along";
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }

  const std::string user_;
  const uint32_t sessions_;
};

// A server that has no users of its own and passes everything on.
class Entry final : public OnAPort {
 public:
  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const v1::DisconnectRequest* request,
                                       v1::DisconnectResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    DisconnectAt(peers, *context, request, response, reactor);
    return reactor;
  }
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context, const v1::PushRequest* request,
                                 v1::PushResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    *response->mutable_missing_users() = request->users();
    PushAt(peers, *context, request, response, reactor);
    return reactor;
  }
  grpc::ServerUnaryReactor* Broadcast(grpc::CallbackServerContext* context,
                                      const v1::BroadcastRequest* request,
                                      v1::BroadcastResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    BroadcastAt(peers, *context, request, response, reactor);
    return reactor;
  }

  std::vector<ConnectorPeer> peers;
};

class UserCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    for (OnAPort* server : std::initializer_list<OnAPort*>{&ann_, &bob_, &entry_}) server->Serve();
    entry_.peers = {{"connector-1", ann_.stub()}, {"connector-2", bob_.stub()}};
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::ConnectorService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                       Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(true);
    SetRequestId(context, kRequestId);
    return (entry_.stub().get()->*method)(&context, request, &response);
  }
  grpc::Status Disconnect(const std::string& user, v1::DisconnectResponse& response) {
    v1::DisconnectRequest request;
    request.set_user(user);
    return Call(&v1::ConnectorService::Stub::Disconnect, request, response);
  }

  FakeConnector ann_{"ann", 2};
  FakeConnector bob_{"bob", 3};
  Entry entry_;
};

TEST(UsersOf, NamesEachUserOnceAndWhomTheRequestRepeats) {
  v1::PushRequest request;
  for (const char* user : {"ann", "bob", "ann", "cid", "ann", "cid"}) request.add_users(user);
  const auto users = UsersOf(request);
  ASSERT_TRUE(users.ok()) << users.status();
  EXPECT_THAT(users->each, ElementsAre("ann", "bob", "cid"));
  EXPECT_THAT(users->repeated, ElementsAre("ann", "cid"));
}

TEST(UsersOf, SaysWhichEntryIsWrong) {
  const struct {
    std::vector<std::string> users;
    std::string said;
  } cases[] = {
      {{}, "users has 0 names: 1 to 1000 are allowed"},
      {std::vector<std::string>(1001, "ann"), "users has 1001 names: 1 to 1000 are allowed"},
      {{""}, "users[0] is empty"},
      {{"ann", "bob", ""}, "users[2] is empty"},
      {{"ann", "*"}, "users[1] is '*'"},
      {{"ann", std::string(65, 'x')}, "users[1] has 65 bytes"},
  };
  for (const auto& c : cases) {
    v1::PushRequest request;
    for (const std::string& user : c.users) request.add_users(user);
    const auto users = UsersOf(request);
    EXPECT_TRUE(absl::IsInvalidArgument(users.status())) << c.said;
    EXPECT_THAT(std::string(users.status().message()), HasSubstr(c.said));
  }
}

TEST_F(UserCalls, APushReachesUsersOfEveryConnectorAndNamesThoseOfNone) {
  v1::PushRequest request;
  for (const char* user : {"cid", "ann", "dan", "bob"}) request.add_users(user);
  request.set_route("onNotice");
  v1::PushResponse response;
  ASSERT_TRUE(Call(&v1::ConnectorService::Stub::Push, request, response).ok());
  EXPECT_EQ(response.sessions(), 5u);
  EXPECT_THAT(response.missing_users(), ElementsAre("cid", "dan"));
  EXPECT_EQ(ann_.forwarded, 1) << "the call is marked, so that it is not passed on again";
}

TEST_F(UserCalls, DisconnectFindsTheUserOrSaysThatNobodyHas) {
  v1::DisconnectResponse response;
  ASSERT_TRUE(Disconnect("bob", response).ok());
  EXPECT_EQ(response.sessions(), 3u);
  const grpc::Status status = Disconnect("cid", response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "user 'cid' has no session on any connector");
}

TEST_F(UserCalls, WhatAConnectorRefusesIsToldInItsWords) {
  v1::PushRequest request;
  request.add_users("ann");
  v1::PushResponse response;
  const grpc::Status status = Call(&v1::ConnectorService::Stub::Push, request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "no route");
}

TEST_F(UserCalls, AConnectorThatIsSilentIsNamedWithWhatWasReached) {
  bob_.silent = true;
  v1::BroadcastResponse response;
  const grpc::Status status = Call(&v1::ConnectorService::Stub::Broadcast, {}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("no answer from connector 'connector-2' ("));
  EXPECT_THAT(status.error_message(), HasSubstr("reached elsewhere: 2"));
}

TEST_F(UserCalls, AConnectorThatIsAwayIsNamedToo) {
  ann_.Stop();
  v1::DisconnectResponse response;
  const grpc::Status status = Disconnect("bob", response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("'connector-1'"));
  EXPECT_THAT(status.error_message(), HasSubstr("reached elsewhere: 3"));
}

TEST_F(UserCalls, WithoutOthersTheAnswerIsWhatWasReachedHere) {
  entry_.peers.clear();
  v1::BroadcastResponse response;
  EXPECT_TRUE(Call(&v1::ConnectorService::Stub::Broadcast, {}, response).ok());
  EXPECT_EQ(response.sessions(), 0u);
}

}  // namespace
}  // namespace hubbub::rpc
