#include "services/rpc/server.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "fmt/format.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/impl/server_initializer.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "services/rpc/audit.h"

namespace hubbub::rpc {
namespace {

// Both sides must agree on keepalive, or the server ends connections with "too many pings". A machine that
// dies closes nothing: its peers wait until that is noticed.
constexpr int kKeepaliveTimeMs = 2'000;
constexpr int kKeepaliveTimeoutMs = 2'000;
// Calls of one connection at a time; further ones wait at their caller. All of a connector's calls to a chat
// server share a connection: a stream of sends for each loop, one of events, and its clients' enters, which
// may all wait some seconds for the store. With 100 those would hold up all others.
constexpr int kMaxStreams = 1'000;
// For TLS, and HTTP/2's first words.
constexpr int kHandshakeTimeoutMs = 10'000;
// What gRPC keeps for all connections and calls together. Beyond, it reads less, and ends calls. A hand-over
// of rooms is 32 MiB at most.
constexpr size_t kMaxTransportBytes = 256 << 20;

// gRPC tells only plugins which services a server has.
class ServiceNames final : public grpc::ServerBuilderOption {
 public:
  using Tell = std::function<void(const std::vector<std::string>&)>;
  explicit ServiceNames(Tell tell) : tell_(std::move(tell)) {}

  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<Plugin>(tell_));
  }

 private:
  class Plugin final : public grpc::ServerBuilderPlugin {
   public:
    explicit Plugin(Tell tell) : tell_(std::move(tell)) {}
    std::string name() override { return "service_names"; }
    void InitServer(grpc::ServerInitializer*) override {}
    void Finish(grpc::ServerInitializer* initializer) override { tell_(*initializer->GetServiceList()); }
    void ChangeArguments(const std::string&, void*) override {}

   private:
    const Tell tell_;
  };

  const Tell tell_;
};

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.SetResourceQuota(grpc::ResourceQuota("hubbub").Resize(kMaxTransportBytes));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // By default only two pings are sent on a connection on which nothing else is.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  if (const auto age = options.extras.max_connection_age; age.count() > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age.count()));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                               static_cast<int>(options.extras.max_connection_age_grace.count()));
  }
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  const std::string& own_host = options.extras.listen_host;
  const std::string& host = own_host.empty() ? options.host : own_host;
  const Security* const security = options.extras.security;
  auto acceptor = Acceptor::Listen({.host = host,
                                    .port = options.port,
                                    .max_connections = options.extras.max_connections,
                                    .max_per_address = std::max(1, options.extras.max_connections / 2),
                                    .keepalive_timeout_ms = kKeepaliveTimeoutMs});
  if (!acceptor.ok()) return acceptor.status();
  auto server = std::unique_ptr<Server>(new Server);
  server->acceptor_ = *std::move(acceptor);
  grpc::ServerBuilder builder;
  server->hand_over_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      security == nullptr ? grpc::InsecureServerCredentials() : security->ServerCredentials());
  SetLimits(options, builder);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  for (grpc::Service* service : options.extras.services) builder.RegisterService(service);
  builder.RegisterService(&server->health_);
  if (options.reflection) {
    builder.RegisterService(&server->reflection_service_);
    builder.RegisterService(&server->old_reflection_service_);
  }
  builder.SetOption(
      std::make_unique<ServiceNames>([self = server.get()](const std::vector<std::string>& names) {
        self->health_.SetServices(names);
        self->reflection_->SetServices(names);
      }));
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> watchers;
  watchers.push_back(std::make_unique<Audit>(security == nullptr ? nullptr : security->tokens()));
  if (options.extras.call_metrics != nullptr)
    watchers.push_back(options.extras.call_metrics->MakeInterceptors());
  builder.experimental().SetInterceptorCreators(std::move(watchers));
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::UnavailableError(
        fmt::format("cannot serve gRPC on {}:{}: gRPC could not start", host, options.port));
  }
  server->acceptor_->Start([self = server.get()](int listener, int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listener;
    connection.fd = fd;
    self->hand_over_->HandleNewConnection(&connection);
  });
  return server;
}

Server::~Server() {
  Shutdown(0);
}

void Server::Shutdown(int grace_ms) {
  if (server_ == nullptr) return;
  // Before the server's: what came after that, gRPC would leave open.
  acceptor_->Stop();
  health_.Shutdown();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  server_->Wait();
  server_.reset();
}

}  // namespace hubbub::rpc
