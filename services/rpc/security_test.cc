#include "services/rpc/security.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "hubbub/chat/v1/history.grpc.pb.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "hubbub/directory/v1/identity.grpc.pb.h"
#include "hubbub/directory/v1/status.grpc.pb.h"
#include "hubbub/gate/v1/gate.grpc.pb.h"
#include "services/base/files.h"
#include "services/rpc/access.h"
#include "services/rpc/channel.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/server.h"
#include "services/rpc/testing/test_authority.h"
#include "services/testing/test_log.h"
#include "services/testing/wait.h"

namespace hubbub::rpc {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A service that says whether its callers may speak for "connector-1".
class NamedChat final : public chat::v1::ChatService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Add(grpc::CallbackServerContext* context, const chat::v1::AddRequest*,
                                chat::v1::AddResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(MaySpeakFor(*context, Role::kConnector, "connector-1")));
    return reactor;
  }
};

class SecurityTest : public ::testing::Test {
 protected:
  static constexpr const char* kSend = "/hubbub.chat.v1.ChatService/Send";
  static constexpr const char* kKick = "/hubbub.chat.v1.ChatService/Kick";
  static constexpr const char* kHealth = "/grpc.health.v1.Health/Check";
  const std::string token_ = std::string(40, 't');

  SecurityTest() {
    authority_.Issue("server", {"hubbub://chat/chat-1"});
    authority_.Write("tokens", "weather publish " + token_ + "\n");
  }

  std::unique_ptr<Security> Open(bool tokens, const std::string& name = "server", Role role = Role::kChat) {
    auto security = Security::Open({.files = {.certificate = authority_.Path(name + ".pem"),
                                              .key = authority_.Path(name + ".key"),
                                              .authority = authority_.Ca()},
                                    .tokens = tokens ? authority_.Path("tokens") : "",
                                    .role = role,
                                    .id = name == "server" ? "chat-1" : name});
    EXPECT_TRUE(security.ok()) << security.status();
    return *std::move(security);
  }
  void Serve(bool tokens) {
    security_ = Open(tokens);
    auto started =
        Server::Start({.host = "127.0.0.1",
                       .reflection = true,
                       .services = {&chat_, &history_, &peer_, &connector_, &gate_, &identity_, &status_},
                       .extras = {.services = {}, .security = security_.get()}});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  std::string Address() const { return "127.0.0.1:" + std::to_string(server_->port()); }
  // As a back end in another language has them: it checks the host's name, and shows a certificate or none.
  std::shared_ptr<grpc::Channel> BackEnd(const std::string& name) const {
    grpc::SslCredentialsOptions options{
        .pem_root_certs = Text("ca.pem"), .pem_private_key = "", .pem_cert_chain = ""};
    if (!name.empty()) {
      options.pem_private_key = Text(name + ".key");
      options.pem_cert_chain = Text(name + ".pem");
    }
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    return grpc::CreateCustomChannel(Address(), grpc::SslCredentials(options), arguments);
  }
  std::string Text(const std::string& name) const { return *ReadFile(authority_.Path(name), 1 << 20); }

  // An empty request; OK and UNIMPLEMENTED say that the service was asked.
  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, std::string_view method,
                           const std::string& authorization = {}) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!authorization.empty()) context.AddMetadata("authorization", authorization);
    grpc::CompletionQueue queue;
    const auto call =
        stub.PrepareUnaryCall(&context, std::string(method), grpc::ByteBuffer(nullptr, 0), &queue);
    call->StartCall();
    grpc::Status status;
    grpc::ByteBuffer response;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }
  static bool WasAsked(const grpc::Status& status) {
    return status.error_code() != grpc::StatusCode::PERMISSION_DENIED &&
           status.error_code() != grpc::StatusCode::UNAUTHENTICATED &&
           status.error_code() != grpc::StatusCode::UNAVAILABLE;
  }

  TestAuthority authority_;
  std::unique_ptr<Security> security_;
  NamedChat chat_;
  chat::v1::HistoryService::CallbackService history_;
  chat::v1::PeerService::CallbackService peer_;
  connector::v1::ConnectorService::CallbackService connector_;
  gate::v1::GateService::CallbackService gate_;
  directory::v1::IdentityService::CallbackService identity_;
  directory::v1::StatusService::CallbackService status_;
  std::unique_ptr<Server> server_;
};

TEST_F(SecurityTest, EachRoleReachesTheMethodsOfItsRowsAndNoOthers) {
  Serve(/*tokens=*/true);
  for (const Role role :
       {Role::kGate, Role::kConnector, Role::kChat, Role::kPublish, Role::kRead, Role::kAdmin}) {
    const std::string name(NameOf(role));
    authority_.Issue(name, {"hubbub://" + name + "/connector-1"});
    const auto channel = BackEnd(name);
    const Caller caller{.grants = {{.role = role, .name = "connector-1"}}};
    for (const std::string_view method : MethodsWithRoles()) {
      // A stream that waits for a question has no answer to wait for; access is decided before.
      if (method.find("Reflection") != std::string_view::npos || method == "/grpc.health.v1.Health/Watch")
        continue;
      const absl::Status wanted = MayCall(method, &caller);
      const grpc::Status status = Call(channel, method);
      EXPECT_EQ(WasAsked(status), wanted.ok()) << name << " " << method << ": " << status.error_message();
      if (!wanted.ok()) {
        EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
        EXPECT_EQ(status.error_message(), std::string(wanted.message()));
      }
    }
  }
}

TEST_F(SecurityTest, WithoutTokensWhoHasNoCertificateGetsNoConnection) {
  Serve(/*tokens=*/false);
  EXPECT_EQ(Call(BackEnd(""), kHealth).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(grpc::CreateChannel(Address(), grpc::InsecureChannelCredentials()), kHealth).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  authority_.Issue("nobody", {"https://example.com/"});
  EXPECT_TRUE(Call(BackEnd("nobody"), kHealth).ok());
  EXPECT_THAT(Call(BackEnd("nobody"), kSend).error_message(),
              HasSubstr("a certificate without a role may not call"));
  EXPECT_THAT(Call(BackEnd("nobody"), kSend, "Bearer " + token_).error_message(),
              HasSubstr("a certificate without a role may not call"))
      << "tokens are no way in where there are none";
}

TEST_F(SecurityTest, ACertificateOfAnotherAuthorityIsNone) {
  Serve(/*tokens=*/false);
  TestAuthority other;
  other.Issue("admin", {"hubbub://admin/mallory"});
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("localhost");
  const auto channel = grpc::CreateCustomChannel(
      Address(),
      grpc::SslCredentials({.pem_root_certs = Text("ca.pem"),
                            .pem_private_key = *ReadFile(other.Path("admin.key"), 1 << 20),
                            .pem_cert_chain = *ReadFile(other.Path("admin.pem"), 1 << 20)}),
      arguments);
  EXPECT_EQ(Call(channel, kHealth).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, ATokenHasItsScopesAndAWrongOneNone) {
  Serve(/*tokens=*/true);
  const hubbub::testing::TestLog log;
  const auto channel = BackEnd("");
  EXPECT_TRUE(Call(channel, kHealth).ok());
  EXPECT_EQ(Call(channel, kSend).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(WasAsked(Call(channel, kSend, "Bearer " + token_)));
  EXPECT_EQ(Call(channel, kKick, "Bearer " + token_).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  for (const std::string& wrong :
       {"Bearer " + token_ + "x", token_, std::string("Bearer "), std::string("Basic x")}) {
    const grpc::Status status = Call(channel, kSend, wrong);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << wrong;
    EXPECT_THAT(status.error_message(), HasSubstr("holds no token that this server knows"));
  }
  // A wrong token beside a good certificate is a mistake that its owner should hear of.
  authority_.Issue("admin", {"hubbub://admin"});
  EXPECT_EQ(Call(BackEnd("admin"), kKick, "Bearer no").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(log.lines(), Contains(AllOf(HasSubstr("a gRPC call was refused: publish/weather may not call"),
                                          HasSubstr("code=PERMISSION_DENIED"))));
  for (const std::string& line : log.lines()) EXPECT_THAT(line, Not(HasSubstr(token_)));
}

TEST_F(SecurityTest, AConnectorSpeaksForTheNameOfItsCertificate) {
  Serve(/*tokens=*/false);
  const std::string add = "/hubbub.chat.v1.ChatService/Add";
  authority_.Issue("own", {"hubbub://connector/connector-1"});
  authority_.Issue("any", {"hubbub://connector"});
  authority_.Issue("other", {"hubbub://connector/connector-2"});
  EXPECT_TRUE(Call(BackEnd("own"), add).ok());
  EXPECT_TRUE(Call(BackEnd("any"), add).ok());
  const grpc::Status status = Call(BackEnd("other"), add);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("that of connector \"connector-2\""));
}

TEST_F(SecurityTest, ChannelsGoToServersOfTheSuiteAlone) {
  Serve(/*tokens=*/false);
  authority_.Issue("gate-1", {"hubbub://gate/gate-1"});
  const auto gate = Open(false, "gate-1", Role::kGate);
  const Credentials credentials = gate->ChannelCredentials();
  const auto to_server = MakeChannel(Address(), credentials);
  EXPECT_TRUE(Call(to_server, kHealth).ok()) << "by an address that no certificate names";

  // A back end whose certificate the authority has signed too is no chat server.
  authority_.Issue("impostor", {"hubbub://publish/impostor"});
  grpc::ServerBuilder builder;
  int port = 0;
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({Text("impostor.key"), Text("impostor.pem")});
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
  const auto impostor = builder.BuildAndStart();
  const grpc::Status status = Call(MakeChannel("127.0.0.1:" + std::to_string(port), credentials), kHealth);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, CertificatesThatChangeAreForNewConnections) {
  Serve(/*tokens=*/false);
  const hubbub::testing::TestLog log;
  authority_.Issue("admin", {"hubbub://admin"});
  const auto before = BackEnd("admin");
  ASSERT_TRUE(Call(before, kHealth).ok());
  security_->Poll();
  EXPECT_TRUE(log.lines().empty());

  TestAuthority other;
  other.Issue("server", {"hubbub://chat/chat-1"});
  other.Issue("admin", {"hubbub://admin"});
  for (const char* name : {"server.pem", "server.key", "ca.pem", "admin.pem", "admin.key"})
    authority_.Write(name, *ReadFile(other.Path(name), 1 << 20));
  EXPECT_TRUE(hubbub::testing::WaitUntil([&] { return Call(BackEnd("admin"), kHealth).ok(); }));
  EXPECT_TRUE(Call(before, kHealth).ok()) << "an open connection stays";
  security_->Poll();
  EXPECT_THAT(log.lines(),
              Contains(HasSubstr("the certificates for gRPC have changed: this server's is valid until")));

  authority_.Write("server.key", "nonsense");
  security_->Poll();
  security_->Poll();
  EXPECT_THAT(log.lines(), Contains(HasSubstr("server.key holds no private key")).Times(1));
  EXPECT_TRUE(Call(before, kHealth).ok());
}

}  // namespace
}  // namespace hubbub::rpc
