#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "grpcpp/support/server_interceptor.h"
#include "services/rpc/tokens.h"

namespace hubbub::rpc {

// Logs each call by which an administrator acts on people or takes what they said (IsAdministration of
// roles.h), at its end: who called what, on whom, from where, and with which outcome. What connectors do by
// themselves, and what one server passes on to another, is not logged again. Makes gRPC's interceptors;
// thread-safe. Owned by the gRPC server.
class Audit final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `tokens`: those of the server's Access, or null.
  explicit Audit(const Tokens* tokens) : tokens_(tokens) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override;

 private:
  const Tokens* const tokens_;
};

// True if Audit knows whom a call of the method is about; for tests.
bool IsAudited(std::string_view method);
// A name as a log line may show it: what is no name of a user or room is cut and made plain.
std::string LogName(std::string_view name);

}  // namespace hubbub::rpc
