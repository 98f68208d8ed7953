#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "hubbub/directory/v1/identity.grpc.pb.h"
#include "services/directory/directory.h"

namespace hubbub::directory {

// Who a server is, as it says itself.
struct Identity {
  ServerKind kind = ServerKind::kChat;
  std::string id = {};
  std::string version = {};
  std::string instance = {};  // A random name of this run of the program.
  std::string client_host = {};
  uint16_t client_port = 0;

  bool operator==(const Identity&) const = default;
};

// The identity of this process, with a new `instance`.
Identity MakeIdentity(const ServerInfo& self);

directory::v1::ServerKind ToProto(ServerKind kind);
directory::v1::GetIdentityResponse ToProto(const Identity& identity);
// INVALID_ARGUMENT, with the reason, for what no server of ours would say.
absl::StatusOr<Identity> FromProto(const directory::v1::GetIdentityResponse& proto);

directory::v1::ServerAddress ToProto(const Address& address);
// INVALID_ARGUMENT for what is no IP address of a server.
absl::StatusOr<Address> FromProto(const directory::v1::ServerAddress& proto);

// Answers GetIdentity, on every server, and tells the directory who has asked. Thread-safe. Outlives the gRPC
// server; `directory`, unless it is null, outlives that too.
class IdentityService final : public directory::v1::IdentityService::CallbackService {
 public:
  explicit IdentityService(const Identity& identity, Directory* directory = nullptr)
      : response_(ToProto(identity)), directory_(directory) {}

  grpc::ServerUnaryReactor* GetIdentity(grpc::CallbackServerContext* context,
                                        const directory::v1::GetIdentityRequest* request,
                                        directory::v1::GetIdentityResponse* response) override;

 private:
  const directory::v1::GetIdentityResponse response_;
  Directory* const directory_;
};

}  // namespace hubbub::directory
