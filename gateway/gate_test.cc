#include "gateway/gate.h"

#include <memory>
#include <string>

#include "boost/asio/connect.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/write.hpp"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/testing/tcp_client.h"

namespace hubbub::gate {
namespace {

using ::testing::HasSubstr;

// A gate whose directory has servers that are not there.
class GateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const directory::ServerInfo self{.kind = directory::ServerKind::kGate,
                                     .id = "gate-1",
                                     .host = "127.0.0.1",
                                     .client_host = "127.0.0.1"};
    directory::ServerList servers;
    servers.gates = {self,
                     {.kind = directory::ServerKind::kGate,
                      .id = "gate-2",
                      .host = "127.0.0.1",
                      .port = 2,
                      .client_host = "127.0.0.1"}};
    // Nobody listens on port 1.
    servers.connectors = {{.kind = directory::ServerKind::kConnector,
                           .id = "connector-1",
                           .host = "127.0.0.1",
                           .port = 1,
                           .client_host = "127.0.0.1"}};
    servers.chats = {{.kind = directory::ServerKind::kChat,
                      .id = "chat-1",
                      .host = "127.0.0.1",
                      .port = 1,
                      .client_host = "127.0.0.1"}};
    servers_ = std::make_shared<const directory::ServerList>(std::move(servers));
    Start({.self = self, .listen_host = "127.0.0.1", .loops = 1});
  }

  void Start(const GateOptions& options) {
    auto gate = Gate::Start(options, servers_);
    ASSERT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
    stub_ = v1::GateService::NewStub(rpc::MakeChannel("127.0.0.1:" + std::to_string(gate_->grpc_port())));
  }

  grpc::Status QueryEntry(const std::string& user) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(true);
    v1::QueryEntryRequest request;
    request.set_user(user);
    v1::QueryEntryResponse response;
    return stub_->QueryEntry(&context, request, &response);
  }

  // The whole answer to a browser.
  std::string Get(const std::string& target, const std::string& fields = "") {
    return GetAt(gate_->client_port(), target, fields);
  }
  static std::string GetAt(uint16_t port, const std::string& target, const std::string& fields = "") {
    namespace asio = boost::asio;
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(socket, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
                                     fields + "\r\n"));
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return answer;
  }

  std::shared_ptr<const directory::ServerList> servers_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<v1::GateService::Stub> stub_;
};

TEST_F(GateTest, NamesTheFieldThatIsWrong) {
  for (const std::string& user :
       {std::string(), std::string(65, 'x'), std::string("a\nb"), std::string("*")}) {
    const grpc::Status status = QueryEntry(user);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << user;
    EXPECT_THAT(status.error_message(), HasSubstr("user")) << user;
  }
}

TEST_F(GateTest, SaysThatNoConnectorCanBeReached) {
  const grpc::Status status = QueryEntry("ann");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "no connector can be reached");
  EXPECT_FALSE(gate_->Ready());
}

TEST_F(GateTest, ListsEveryServerAsItSeesIt) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  context.set_wait_for_ready(true);
  v1::ListServersResponse response;
  ASSERT_TRUE(stub_->ListServers(&context, {}, &response).ok());
  std::vector<std::string> seen;
  for (const v1::Server& server : response.servers()) {
    seen.push_back(server.id() + " " + v1::ServerState_Name(server.state()));
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("gate-1 SERVER_STATE_READY", "gate-2 SERVER_STATE_UNREACHABLE",
                                           "connector-1 SERVER_STATE_UNREACHABLE",
                                           "chat-1 SERVER_STATE_UNREACHABLE"));
}

TEST_F(GateTest, ShowsBrowsersTheServersUnlessItMayNot) {
  EXPECT_THAT(Get("/servers"), AllOf(HasSubstr(" 200 "), HasSubstr("<title>Servers")));
  EXPECT_THAT(Get("/servers.json?a=b"), AllOf(HasSubstr(" 200 "), HasSubstr("\"id\":\"connector-1\"")));
  GateOptions options{.self = servers_->gates.front(), .listen_host = "127.0.0.1", .loops = 1};
  options.servers_page = false;
  gate_.reset();
  Start(options);
  for (const char* target : {"/servers", "/servers.json", "/servers.json?a=b", "/servers.html"})
    EXPECT_THAT(Get(target), HasSubstr(" 404 ")) << target;
  EXPECT_THAT(Get("/"), HasSubstr(" 200 "));
}

TEST_F(GateTest, ShowsOperatorsTheServersAtAnAddressOfTheirOwn) {
  GateOptions options{.self = servers_->gates.front(), .listen_host = "127.0.0.1", .loops = 1};
  options.operators = net::ListenerOptions{.host = "127.0.0.1"};
  gate_.reset();
  Start(options);
  for (const char* target : {"/servers", "/servers.json"})
    EXPECT_THAT(Get(target), HasSubstr(" 404 ")) << target;
  const auto at_operators = [&](const std::string& target) { return GetAt(gate_->operator_port(), target); };
  EXPECT_THAT(at_operators("/"), AllOf(HasSubstr(" 200 "), HasSubstr("<title>Servers")));
  EXPECT_THAT(at_operators("/servers.json"), AllOf(HasSubstr(" 200 "), HasSubstr("\"id\":\"connector-1\"")));
  testing::TcpClient other(gate_->operator_port());
  other.Send("\1 a handshake");
  EXPECT_EQ(other.ReadToEnd(), "") << "it takes no sessions";
}

TEST_F(GateTest, BrowsersAreToldThatTheyHaveThePage) {
  const std::string page = Get("/servers");
  const size_t begin = page.find("\r\nETag: ") + 2;
  const std::string tag = page.substr(begin + 6, page.find("\r\n", begin) - begin - 6);
  const std::string again = Get("/servers", "If-None-Match: " + tag + "\r\n");
  EXPECT_THAT(again, AllOf(HasSubstr(" 304 "), HasSubstr("\r\nETag: " + tag + "\r\n"),
                           HasSubstr("\r\nCache-Control: no-cache\r\n")));
  EXPECT_TRUE(again.ends_with("\r\n\r\n")) << again;
  EXPECT_THAT(Get("/servers", "If-None-Match: \"other\"\r\n"), HasSubstr(" 200 "));
}

TEST_F(GateTest, TakesCallsForUsersAndNamesTheConnectorThatIsAway) {
  const auto users = connector::v1::ConnectorService::NewStub(
      rpc::MakeChannel("127.0.0.1:" + std::to_string(gate_->grpc_port())));
  const auto disconnect = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.set_wait_for_ready(true);
    connector::v1::DisconnectRequest request;
    request.set_user("ann");
    connector::v1::DisconnectResponse response;
    return users->Disconnect(&context, request, &response);
  };
  EXPECT_EQ(disconnect().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(disconnect().error_message(), HasSubstr("no answer from connector 'connector-1'"));
  gate_->Update(std::make_shared<const directory::ServerList>());
  EXPECT_EQ(disconnect().error_message(), "there is no connector in this gate's directory");
}

TEST_F(GateTest, HasNoStatusOfSessions) {
  const auto users = connector::v1::ConnectorService::NewStub(
      rpc::MakeChannel("127.0.0.1:" + std::to_string(gate_->grpc_port())));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  context.set_wait_for_ready(true);
  const auto stream = users->WatchStatus(&context, {});
  connector::v1::WatchStatusResponse status;
  EXPECT_FALSE(stream->Read(&status));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace hubbub::gate
