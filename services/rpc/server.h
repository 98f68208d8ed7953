#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/impl/codegen/service_type.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "services/rpc/acceptor.h"
#include "services/rpc/call_metrics.h"
#include "services/rpc/channel.h"
#include "services/rpc/health_service.h"
#include "services/rpc/reflection_service.h"
#include "services/rpc/security.h"

namespace hubbub::rpc {

// What ServerMain adds to the gRPC server of every program.
struct ServerExtras {
  std::vector<grpc::Service*> services = {};  // Outlive the server, as the next.
  const CallMetrics* call_metrics = nullptr;
  std::string listen_host = {};        // Empty: ServerOptions::host.
  const Security* security = nullptr;  // Null: plain, and everybody may call everything.
  Credentials credentials = nullptr;   // Of the program's channels to other servers.
  // At a time; further ones are closed at once. ShareFiles tells how many there is room for.
  int max_connections = 1'000;
  // Age at which a connection ends, so that its peer connects again, perhaps to another server; 0: never.
  // Calls under way go on for the grace, and are cancelled then.
  std::chrono::milliseconds max_connection_age{0};
  std::chrono::milliseconds max_connection_age_grace{600'000};
};

struct ServerOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 0;  // 0: any free one.
  bool reflection = true;
  int max_message_bytes = 1 << 20;       // Larger calls are refused.
  std::vector<grpc::Service*> services;  // Outlive the server.
  ServerExtras extras = {};
};

// A gRPC server as every program of the suite runs it: health service, reflection, keepalive, bounds on
// connections and message sizes, and no silent sharing of a port with another process. Thread-safe. Owned by
// Gate, Connector or ChatServer.
class Server {
 public:
  // The error says which address and why.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);
  ~Server();

  uint16_t port() const { return acceptor_->port(); }
  // What the health service answers, for the whole server and each of its services.
  void SetServing(bool serving) { health_.SetServing(serving); }
  // What it answers for a part that the server needs, such as a database (HealthService::SetPart).
  void SetPartServing(const std::string& part, bool serving) { health_.SetPart(part, serving); }
  // Takes no new calls, waits for those under way, cancels them after `grace_ms`.
  void Shutdown(int grace_ms);

 private:
  Server() = default;

  const std::shared_ptr<Reflection> reflection_ = std::make_shared<Reflection>();
  HealthService health_;
  ReflectionService reflection_service_{reflection_};
  OldReflectionService old_reflection_service_{reflection_};
  std::unique_ptr<Acceptor> acceptor_;
  // gRPC's end of the acceptor: what it is given, the server has.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> hand_over_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hubbub::rpc
