#include "services/rpc/server.h"

#include <chrono>
#include <utility>

#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "fmt/format.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "services/directory.h"

namespace hubbub::rpc {
namespace {

// gRPC says only that it could not start; this finds out why.
std::string WhyNot(const std::string& host, uint16_t port) {
  namespace asio = boost::asio;
  boost::system::error_code error;
  asio::io_context context;
  const auto found = asio::ip::tcp::resolver(context).resolve(host, std::to_string(port), error);
  if (error || found.empty()) return "the host does not resolve";
  asio::ip::tcp::acceptor acceptor(context);
  const asio::ip::tcp::endpoint endpoint = *found.begin();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error == asio::error::address_in_use) return "another program has this port";
  return error ? error.message() : "gRPC could not start";
}

// gRPC's plugins are the process's: once there is one for reflection, every server has it. This takes it out
// of one server again.
class WithoutReflection final : public grpc::ServerBuilderOption {
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) {
      return dynamic_cast<grpc::reflection::ProtoServerReflectionPlugin*>(plugin.get()) != nullptr;
    });
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  static const bool once = [] {
    grpc::EnableDefaultHealthCheckService(true);
    return true;
  }();
  (void)once;
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto server = std::unique_ptr<Server>(new Server);
  grpc::ServerBuilder builder;
  if (!options.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
  builder.AddListeningPort(HostPort(options.host, options.port), grpc::InsecureServerCredentials(),
                           &server->port_);
  // By default two processes share a port in silence, each with half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 10'000);
  // Both sides must agree on keepalive, or the server ends connections with "too many pings".
  // A machine that dies closes nothing: whoever was reached through it waits until that is noticed.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 2'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2'000);
  // By default only two pings are sent on a connection on which nothing else is.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  for (grpc::Service* service : options.extras.services) builder.RegisterService(service);
  if (options.extras.call_metrics != nullptr) {
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> watchers;
    watchers.push_back(options.extras.call_metrics->MakeInterceptors());
    builder.experimental().SetInterceptorCreators(std::move(watchers));
  }
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(fmt::format("can not serve gRPC on {}:{}: {}", options.host, options.port,
                                              WhyNot(options.host, options.port)));
  }
  return server;
}

Server::~Server() {
  Shutdown(0);
}

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Shutdown(int grace_ms) {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  server_->Wait();
  server_.reset();
}

}  // namespace hubbub::rpc
