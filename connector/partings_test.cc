#include "connector/chat_servers/partings.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "connector/connector.h"
#include "connector/testing/scripted_chat_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/testing/pomelo_client.h"
#include "services/testing/wait.h"

namespace hubbub::connector {
namespace {

using hubbub::testing::PomeloClient;
using hubbub::testing::WaitUntil;
using ::testing::ElementsAre;

// A chat server of one room that answers sends when the test says so, and keeps what it is asked.
class SlowChatServer final : public ScriptedChatServer {
 public:
  ~SlowChatServer() override { End(); }

  std::vector<std::string> log() {
    const std::lock_guard lock(mu_);
    return log_;
  }
  // So many kicks cannot be done just now.
  void RefuseKicks(int count) {
    const std::lock_guard lock(mu_);
    refused_kicks_ = count;
  }
  // Sends are answered from now on, the first of them with this code.
  void Answer(grpc::StatusCode first = grpc::StatusCode::OK) {
    {
      const std::lock_guard lock(mu_);
      answers_ = true;
      first_ = first;
    }
    changed_.notify_all();
  }

 private:
  grpc::Status Kick(grpc::ServerContext*, const chat::v1::KickRequest* request,
                    chat::v1::KickResponse*) override {
    {
      const std::lock_guard lock(mu_);
      if (refused_kicks_ > 0) {
        --refused_kicks_;
        return {grpc::StatusCode::ABORTED, "the room is on its way to another chat server"};
      }
    }
    Log((request->keep_name() ? "kick, name kept: " : "kick: ") + request->user());
    return grpc::Status::OK;
  }
  grpc::Status SendStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<chat::v1::SendStreamResponse, chat::v1::SendStreamRequest>* stream) override {
    chat::v1::SendStreamRequest request;
    while (stream->Read(&request)) {
      chat::v1::SendStreamResponse response;
      {
        std::unique_lock lock(mu_);
        for (const auto& send : request.sends()) log_.push_back("came: " + send.send().content());
        changed_.wait(lock, [this] { return answers_ || ended_; });
        for (const auto& send : request.sends()) {
          auto* const answer = response.add_answers();
          EXPECT_EQ(send.lease(), kLease);
          answer->set_code(std::exchange(first_, grpc::StatusCode::OK));
          log_.push_back((answer->code() == 0 ? "done: " : "not now: ") + send.send().content());
        }
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  void Log(std::string line) {
    const std::lock_guard lock(mu_);
    log_.push_back(std::move(line));
  }

  std::vector<std::string> log_;
  int refused_kicks_ = 0;
  bool answers_ = false;
  grpc::StatusCode first_ = grpc::StatusCode::OK;
};

class PartingsTest : public ::testing::Test {
 protected:
  PartingsTest() {
    ConnectorOptions options;
    options.self.kind = directory::ServerKind::kConnector;
    options.self.id = "connector-1";
    options.self.host = "127.0.0.1";
    options.listen_host = "127.0.0.1";
    options.loops = 1;
    directory::ServerList servers;
    directory::ServerInfo& chat = servers.chats.emplace_back();
    chat.id = "chat-1";
    chat.host = "127.0.0.1";
    chat.port = chat_.port();
    auto connector =
        Connector::Start(options, std::make_shared<const directory::ServerList>(std::move(servers)));
    EXPECT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
    EXPECT_TRUE(WaitUntil([&] { return connector_->Ready(); }));
  }
  void Enter(PomeloClient& client, const std::string& user) {
    client.Request("connector.entryHandler.enter", {{"username", user}, {"rid", "lobby"}});
  }
  // Bob speaks and is gone before he is answered; then another one comes and goes.
  void SpeakAndGo() {
    {
      PomeloClient bob(connector_->client_port());
      Enter(bob, "bob");
      bob.Ask("chat.chatHandler.send", {{"rid", "lobby"}, {"content", "last words"}, {"target", "*"}});
      EXPECT_TRUE(WaitUntil([&] { return !chat_.log().empty(); }));
      bob.Reset();
    }
    EXPECT_TRUE(WaitUntil([&] { return connector_->sessions() == 0; }));
    PomeloClient ann(connector_->client_port());
    Enter(ann, "ann");
    ann.Request("connector.entryHandler.leave", {{"rid", "lobby"}});
  }

  SlowChatServer chat_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(PartingsTest, APlaceIsGivenUpWhenWhatWasSaidThereIsDone) {
  SpeakAndGo();
  EXPECT_THAT(chat_.log(), ElementsAre("came: last words", "kick: ann")) << "bob's words are not answered";
  chat_.Answer();
  EXPECT_TRUE(WaitUntil([&] { return chat_.log().size() == 4; }));
  EXPECT_THAT(chat_.log(),
              ElementsAre("came: last words", "kick: ann", "done: last words", "kick, name kept: bob"));
}

TEST_F(PartingsTest, WhatCouldNotBeDoneThenIsDoneFirst) {
  SpeakAndGo();
  chat_.Answer(grpc::StatusCode::ABORTED);
  EXPECT_TRUE(WaitUntil([&] { return chat_.log().size() == 6; }));
  EXPECT_THAT(chat_.log(), ElementsAre("came: last words", "kick: ann", "not now: last words",
                                       "came: last words", "done: last words", "kick, name kept: bob"));
}

// While its store is away, a chat server can neither keep a room nor give it away, for however long that is.
TEST_F(PartingsTest, AChatServerIsToldOfALeaveUntilItHears) {
  chat_.RefuseKicks(ChatServers::kTriesWhileWaitedFor + 1);
  PomeloClient ann(connector_->client_port());
  Enter(ann, "ann");
  EXPECT_EQ(ann.Request("connector.entryHandler.leave", {{"rid", "lobby"}}).at("code"), 200);
  EXPECT_TRUE(WaitUntil([&] { return !chat_.log().empty(); }));
  EXPECT_THAT(chat_.log(), ElementsAre("kick: ann"));
}

}  // namespace
}  // namespace hubbub::connector
