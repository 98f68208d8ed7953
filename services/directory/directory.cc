#include "services/directory/directory.h"

#include "fmt/format.h"
#include "services/base/host_port.h"

namespace hubbub::directory {

std::string_view ToString(ServerKind kind) {
  switch (kind) {
    case ServerKind::kGate:
      return "gate";
    case ServerKind::kConnector:
      return "connector";
    case ServerKind::kChat:
      return "chat";
  }
  return "unknown";
}

std::string ServerInfo::grpc_address() const {
  return HostPort(host, port);
}

const std::vector<ServerInfo>& ServerList::of(ServerKind kind) const {
  return kind == ServerKind::kGate ? gates : kind == ServerKind::kConnector ? connectors : chats;
}

absl::StatusOr<ServerInfo> FindServer(const ServerList& servers, ServerKind kind, std::string_view id) {
  std::string known;
  for (const ServerInfo& server : servers.of(kind)) {
    if (server.id == id) return server;
    known += (known.empty() ? "" : ", ") + server.id;
  }
  return absl::NotFoundError(fmt::format("no {} server has the id '{}' (there are: {})", ToString(kind), id,
                                         known.empty() ? "none" : known));
}

}  // namespace hubbub::directory
