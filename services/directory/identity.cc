#include "services/directory/identity.h"

#include <arpa/inet.h>

#include <optional>
#include <random>

#include "fmt/format.h"
#include "services/base/limits.h"

namespace hubbub::directory {
namespace {

namespace v1 = directory::v1;

std::optional<ServerKind> FromProto(v1::ServerKind kind) {
  if (kind == v1::SERVER_KIND_GATE) return ServerKind::kGate;
  if (kind == v1::SERVER_KIND_CONNECTOR) return ServerKind::kConnector;
  if (kind == v1::SERVER_KIND_CHAT) return ServerKind::kChat;
  return std::nullopt;
}

}  // namespace

v1::ServerKind ToProto(ServerKind kind) {
  switch (kind) {
    case ServerKind::kGate:
      return v1::SERVER_KIND_GATE;
    case ServerKind::kConnector:
      return v1::SERVER_KIND_CONNECTOR;
    case ServerKind::kChat:
      return v1::SERVER_KIND_CHAT;
  }
  return v1::SERVER_KIND_UNSPECIFIED;
}

Identity MakeIdentity(const ServerInfo& self) {
  std::random_device random;
  Identity identity{.kind = self.kind,
                    .id = self.id,
                    .version = HUBBUB_VERSION,
                    .instance = fmt::format("{:08x}{:08x}", random(), random())};
  if (self.kind != ServerKind::kChat) {
    identity.client_host = self.client_host;
    identity.client_port = self.client_port;
  }
  return identity;
}

v1::GetIdentityResponse ToProto(const Identity& identity) {
  v1::GetIdentityResponse proto;
  proto.set_id(identity.id);
  proto.set_kind(ToProto(identity.kind));
  proto.set_version(identity.version);
  proto.set_instance(identity.instance);
  proto.set_client_host(identity.client_host);
  proto.set_client_port(identity.client_port);
  return proto;
}

absl::StatusOr<Identity> FromProto(const v1::GetIdentityResponse& proto) {
  const auto kind = FromProto(proto.kind());
  if (!kind) return absl::InvalidArgumentError("it does not say which kind of server it is");
  if (absl::Status status = CheckName("its id", proto.id()); !status.ok()) return status;
  if (proto.client_port() > 65535)
    return absl::InvalidArgumentError(fmt::format("its client port {} is no port", proto.client_port()));
  return Identity{.kind = *kind,
                  .id = proto.id(),
                  .version = proto.version(),
                  .instance = proto.instance(),
                  .client_host = proto.client_host(),
                  .client_port = static_cast<uint16_t>(proto.client_port())};
}

v1::ServerAddress ToProto(const Address& address) {
  v1::ServerAddress proto;
  proto.set_kind(ToProto(address.kind));
  proto.set_host(address.host);
  return proto;
}

absl::StatusOr<Address> FromProto(const v1::ServerAddress& proto) {
  const auto kind = FromProto(proto.kind());
  in6_addr bytes = {};
  const bool is_address = inet_pton(AF_INET, proto.host().c_str(), &bytes) == 1 ||
                          inet_pton(AF_INET6, proto.host().c_str(), &bytes) == 1;
  if (!kind || !is_address) return absl::InvalidArgumentError("this is no IP address of a server");
  return Address{.kind = *kind, .host = proto.host()};
}

grpc::ServerUnaryReactor* IdentityService::GetIdentity(grpc::CallbackServerContext* context,
                                                       const v1::GetIdentityRequest* request,
                                                       v1::GetIdentityResponse* response) {
  *response = response_;
  if (directory_ != nullptr) {
    for (const Address& newcomer : directory_->Newcomers()) *response->add_newcomers() = ToProto(newcomer);
    if (const auto asker = FromProto(request->asker()); asker.ok()) directory_->Heard(*asker);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace hubbub::directory
