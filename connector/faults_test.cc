// What clients are told when calls to a chat server fail, by the code that gRPC or the chat server gives.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connector/connector.h"
#include "connector/testing/scripted_chat_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/testing/pomelo_client.h"
#include "services/testing/wait.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;
using grpc::StatusCode;
using hubbub::testing::PomeloClient;
using hubbub::testing::WaitUntil;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kGrpcsWords = "Received RST_STREAM with error code 2";

// A chat server of one room and one user, whose calls fail as the test says. An Add that was refused gives no
// place; one whose answer is lost has given it.
class FaultyChatServer final : public ScriptedChatServer {
 public:
  ~FaultyChatServer() override { End(); }

  void Fail(StatusCode add, StatusCode list = StatusCode::OK, StatusCode kick = StatusCode::OK) {
    const std::lock_guard lock(mu_);
    add_ = add;
    list_ = list;
    kick_ = kick;
  }

 private:
  static grpc::Status With(StatusCode code) { return {code, code == StatusCode::OK ? "" : kGrpcsWords}; }

  grpc::Status Add(grpc::ServerContext* context, const chat::v1::AddRequest* request,
                   chat::v1::AddResponse* response) override {
    const std::lock_guard lock(mu_);
    const std::string& shown = request->resume_token();
    if (!token_.empty() && request->token() != token_ && shown != token_)
      return {StatusCode::ALREADY_EXISTS, "is in the room already"};
    const bool refused = add_ == StatusCode::PERMISSION_DENIED || add_ == StatusCode::UNAUTHENTICATED ||
                         add_ == StatusCode::RESOURCE_EXHAUSTED || add_ == StatusCode::ALREADY_EXISTS;
    if (refused) return With(add_);
    token_ = request->token();
    (void)ScriptedChatServer::Add(context, request, response);
    return With(add_);
  }
  grpc::Status Kick(grpc::ServerContext*, const chat::v1::KickRequest*, chat::v1::KickResponse*) override {
    const std::lock_guard lock(mu_);
    if (kick_ == StatusCode::OK) token_.clear();
    return With(kick_);
  }
  grpc::Status ListEvents(grpc::ServerContext*, const chat::v1::ListEventsRequest*,
                          chat::v1::ListEventsResponse*) override {
    const std::lock_guard lock(mu_);
    return With(list_);
  }

  std::string token_;  // Of the place; empty: it is free.
  StatusCode add_ = StatusCode::OK;
  StatusCode list_ = StatusCode::OK;
  StatusCode kick_ = StatusCode::OK;
};

class FaultsTest : public ::testing::Test {
 protected:
  FaultsTest() {
    ConnectorOptions options;
    options.self.kind = directory::ServerKind::kConnector;
    options.self.id = "connector-1";
    options.self.host = "127.0.0.1";
    options.listen_host = "127.0.0.1";
    options.loops = 1;
    options.patience = std::chrono::milliseconds(50);
    auto servers = std::make_shared<directory::ServerList>();
    directory::ServerInfo& info = servers->chats.emplace_back();
    info.id = "chat-1";
    info.host = "127.0.0.1";
    info.port = chat_.port();
    auto connector = Connector::Start(options, std::move(servers));
    EXPECT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
    EXPECT_TRUE(WaitUntil([this] { return connector_->Ready(); }));
    client_ = std::make_unique<PomeloClient>(connector_->client_port());
  }
  ~FaultsTest() override {
    client_ = nullptr;
    connector_ = nullptr;
  }

  json::object Enter() {
    return client_->Request("connector.entryHandler.enter", {{"username", "ann"}, {"rid", "lobby"}});
  }
  json::object History() { return client_->Request("chat.chatHandler.history", {{"rid", "lobby"}}); }
  static void ExpectFailed(const json::object& answer, int code) {
    const std::string text = json::serialize(answer);
    ASSERT_TRUE(answer.contains("code")) << text;
    EXPECT_EQ(answer.at("code").to_number<int>(), code) << text;
    if (code < 503) return;
    EXPECT_THAT(text, HasSubstr("try again soon"));
    EXPECT_THAT(text, Not(HasSubstr(kGrpcsWords)));
  }

  FaultyChatServer chat_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<PomeloClient> client_;
};

// Codes that gRPC uses itself when a connection breaks or a server does not let the connector in.
constexpr struct {
  StatusCode status;
  int code;
} kFaultsOfServers[] = {
    {StatusCode::UNAVAILABLE, 503},       {StatusCode::CANCELLED, 503},
    {StatusCode::UNKNOWN, 503},           {StatusCode::INTERNAL, 503},
    {StatusCode::PERMISSION_DENIED, 503}, {StatusCode::UNAUTHENTICATED, 503},
    {StatusCode::DEADLINE_EXCEEDED, 504},
};

TEST_F(FaultsTest, AnEnterThatServersAreAtFaultForMayBeTriedAgain) {
  for (const auto& c : kFaultsOfServers) {
    SCOPED_TRACE(c.status);
    chat_.Fail(c.status);
    ExpectFailed(Enter(), c.code);
  }
}

TEST_F(FaultsTest, ARequestForHistoryThatServersAreAtFaultForMayBeMadeAgain) {
  ASSERT_TRUE(Enter().contains("users"));
  for (const auto& c : kFaultsOfServers) {
    SCOPED_TRACE(c.status);
    chat_.Fail(StatusCode::OK, c.status);
    ExpectFailed(History(), c.code);
  }
}

TEST_F(FaultsTest, WhatTheRoomRefusesIsNotTheServersFault) {
  chat_.Fail(StatusCode::ALREADY_EXISTS);
  ExpectFailed(Enter(), 500);
  chat_.Fail(StatusCode::RESOURCE_EXHAUSTED);
  ExpectFailed(Enter(), 429);
}

// The place may be there, and could not be taken back: it is the session's own.
TEST_F(FaultsTest, ASessionWhoseEnterTimedOutEntersAtTheNextTry) {
  chat_.Fail(StatusCode::DEADLINE_EXCEEDED, StatusCode::OK, /*kick=*/StatusCode::RESOURCE_EXHAUSTED);
  ExpectFailed(Enter(), 504);
  chat_.Fail(StatusCode::OK);
  const json::object answer = Enter();
  EXPECT_TRUE(answer.contains("users")) << json::serialize(answer);
}

}  // namespace
}  // namespace hubbub::connector
