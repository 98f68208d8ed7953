#include "gateway/server_table.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "boost/json.hpp"
#include "gmock/gmock.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "services/rpc/server.h"
#include "services/rpc/status_service.h"

namespace hubbub::gate {
namespace {

using rpc::StatusService;
using ::testing::ElementsAre;

// A server that tells its status, on a free port.
class TestServer {
 public:
  TestServer(directory::ServerKind kind, const std::string& id,
             const std::function<void(StatusService::Status&)>& fill)
      : status_(id, fill) {
    auto started = rpc::Server::Start({.host = "127.0.0.1", .services = {&status_}});
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    info = {.kind = kind, .id = id, .host = "127.0.0.1", .port = server_->port(), .client_host = "127.0.0.1"};
  }
  ~TestServer() {
    status_.Shutdown();
    server_->Shutdown(0);
  }

  directory::ServerInfo info;

 private:
  StatusService status_;
  std::unique_ptr<rpc::Server> server_;
};

class ServerTableTest : public ::testing::Test {
 protected:
  gate::v1::Server Row(const std::string& id) {
    const auto list = table_.List();
    for (const auto& server : list.servers()) {
      if (server.id() == id) return server;
    }
    return {};
  }
  // Until a server is in this state.
  gate::v1::Server Await(const std::string& id, gate::v1::ServerState state) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (Row(id).state() != state && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(gate::v1::ServerState_Name(Row(id).state()), gate::v1::ServerState_Name(state)) << id;
    return Row(id);
  }

  // Nobody listens on port 1.
  const directory::ServerInfo self_{
      .kind = directory::ServerKind::kGate, .id = "gate-b", .host = "127.0.0.1", .port = 1};
  ServerTable table_{"gate-b",
                     [] {
                       StatusService::Status status;
                       status.set_version("own");
                       return status;
                     },
                     /*credentials=*/nullptr};
};

TEST_F(ServerTableTest, ShowsWhatEachServerTells) {
  const TestServer chat(directory::ServerKind::kChat, "chat-1", [](auto& status) {
    status.set_rooms(7);
    status.set_members(9);
  });
  const TestServer connector(directory::ServerKind::kConnector, "connector-1", [](auto& status) {
    status.set_client_address("connect.example.com:80");
    status.set_sessions(5);
    status.set_draining(true);
  });
  table_.Update({.gates = {self_}, .connectors = {connector.info}, .chats = {chat.info}});
  const auto c = Await("chat-1", gate::v1::SERVER_STATE_READY);
  EXPECT_EQ(c.kind(), directory::v1::SERVER_KIND_CHAT);
  EXPECT_EQ(c.rooms(), 7u);
  EXPECT_EQ(c.members(), 9u);
  EXPECT_EQ(c.version(), HUBBUB_VERSION);
  EXPECT_EQ(c.client_address(), "");
  EXPECT_EQ(c.grpc_address(), chat.info.grpc_address());
  const auto d = Await("connector-1", gate::v1::SERVER_STATE_DRAINING);
  EXPECT_EQ(d.sessions(), 5u);
  EXPECT_EQ(d.client_address(), "connect.example.com:80");
}

TEST_F(ServerTableTest, ListsItselfWithoutALine) {
  table_.Update({.gates = {self_}, .connectors = {}, .chats = {}});
  EXPECT_EQ(Row("gate-b").state(), gate::v1::SERVER_STATE_READY);
  EXPECT_EQ(Row("gate-b").version(), "own");
  EXPECT_EQ(table_.List().gate(), "gate-b");
}

TEST_F(ServerTableTest, IsSortedByKindAndId) {
  const auto of = [](directory::ServerKind kind, const std::string& id) {
    return directory::ServerInfo{.kind = kind, .id = id, .host = "127.0.0.1", .port = 1};
  };
  table_.Update(
      {.gates = {self_, of(directory::ServerKind::kGate, "gate-a")},
       .connectors = {of(directory::ServerKind::kConnector, "b"), of(directory::ServerKind::kConnector, "a")},
       .chats = {of(directory::ServerKind::kChat, "0")}});
  std::vector<std::string> ids;
  const auto list = table_.List();
  for (const auto& server : list.servers()) ids.push_back(server.id());
  EXPECT_THAT(ids, ElementsAre("gate-a", "gate-b", "a", "b", "0"));
}

TEST_F(ServerTableTest, AServerThatEndsCanNotBeReachedAndTellsNothing) {
  auto chat =
      std::make_unique<TestServer>(directory::ServerKind::kChat, "chat-1", [](auto& s) { s.set_rooms(7); });
  const directory::ServerInfo info = chat->info;
  table_.Update({.gates = {}, .connectors = {}, .chats = {info}});
  Await("chat-1", gate::v1::SERVER_STATE_READY);
  chat.reset();
  const auto gone = Await("chat-1", gate::v1::SERVER_STATE_UNREACHABLE);
  EXPECT_EQ(gone.rooms(), 0u);
  EXPECT_EQ(gone.version(), "");
  EXPECT_EQ(gone.grpc_address(), info.grpc_address());
  table_.Update({});
  EXPECT_EQ(table_.List().servers_size(), 0);
}

TEST_F(ServerTableTest, AnotherServerAtTheAddressIsNotTheServer) {
  const TestServer other(directory::ServerKind::kChat, "chat-2", [](auto&) {});
  directory::ServerInfo wrong = other.info;
  wrong.id = "chat-1";
  table_.Update({.gates = {}, .connectors = {}, .chats = {wrong, other.info}});
  Await("chat-2", gate::v1::SERVER_STATE_READY);
  Await("chat-1", gate::v1::SERVER_STATE_UNREACHABLE);
}

TEST_F(ServerTableTest, AServerWithoutStatusIsNeitherReadyNorAway) {
  // gRPC starts no server that has nothing to serve; this one serves no method of ours.
  class Nothing final : public grpc::CallbackGenericService {};
  Nothing nothing;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&nothing);
  const auto server = builder.BuildAndStart();
  table_.Update({.gates = {},
                 .connectors = {},
                 .chats = {{.id = "old", .host = "127.0.0.1", .port = static_cast<uint16_t>(port)}}});
  Await("old", gate::v1::SERVER_STATE_UNSPECIFIED);
  EXPECT_EQ(Row("old").version(), "");
}

TEST_F(ServerTableTest, JsonHasEveryFieldAndAnyName) {
  const std::string id = "<b>\"x\"</b>\xe5\x90\x8d";
  table_.Update({.gates = {self_}, .connectors = {}, .chats = {{.id = id, .host = "127.0.0.1", .port = 1}}});
  const auto json = boost::json::parse(table_.Json()).as_object();
  EXPECT_EQ(json.at("gate"), "gate-b");
  const auto& servers = json.at("servers").as_array();
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].at("state"), "SERVER_STATE_READY");
  EXPECT_EQ(servers[0].at("cpuLoad").to_number<double>(), 0);
  EXPECT_EQ(servers[1].at("id").as_string(), id);
  EXPECT_EQ(servers[1].at("kind"), "SERVER_KIND_CHAT");
  EXPECT_EQ(servers[1].at("grpcAddress"), "127.0.0.1:1");
  for (const char* field : {"sessions", "rooms", "members"}) EXPECT_EQ(servers[1].at(field), 0) << field;
}

}  // namespace
}  // namespace hubbub::gate
