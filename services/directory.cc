#include "services/directory.h"

#include "fmt/format.h"
#include "services/rendezvous.h"

namespace hubbub {

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

std::string HostPort(std::string_view host, uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

const std::vector<ServerInfo>& ServerList::of(ServerKind kind) const {
  return kind == ServerKind::kGate ? gates : kind == ServerKind::kConnector ? connectors : chats;
}

const ServerInfo* ServerList::OwnerOf(std::string_view room) const {
  return RendezvousPick(chats, room, [](const ServerInfo&) { return true; });
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

}  // namespace hubbub
