#include "services/directory.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "services/rendezvous.h"
#include "spdlog/spdlog.h"

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

absl::StatusOr<std::unique_ptr<Directory>> Directory::Open(std::string path, std::string environment) {
  auto directory = std::unique_ptr<Directory>(new Directory(std::move(path), std::move(environment)));
  std::ifstream file(directory->path_);
  if (!file) return absl::NotFoundError(fmt::format("{}: this file can not be read", directory->path_));
  std::stringstream text;
  text << file.rdbuf();
  directory->text_ = text.str();
  auto servers = ParseServers(directory->text_, directory->environment_);
  if (!servers.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", directory->path_, std::string(servers.status().message())));
  }
  MutexLock lock(directory->mu_);
  directory->servers_ = std::make_shared<const ServerList>(*std::move(servers));
  return directory;
}

std::shared_ptr<const ServerList> Directory::servers() const {
  MutexLock lock(mu_);
  return servers_;
}

void Directory::Poll() {
  std::ifstream file(path_);
  std::stringstream stream;
  if (file) stream << file.rdbuf();
  std::string text = file ? stream.str() : "";
  if (text == text_) return;
  text_ = std::move(text);
  if (!file)
    return spdlog::error("{}: this file can not be read any more; the servers stay as they were", path_);
  auto parsed = ParseServers(text_, environment_);
  if (!parsed.ok()) {
    return spdlog::error("{}: {}; the servers stay as they were", path_,
                         std::string(parsed.status().message()));
  }
  auto servers = std::make_shared<const ServerList>(*std::move(parsed));
  {
    MutexLock lock(mu_);
    if (*servers == *servers_) return;
    servers_ = servers;
  }
  spdlog::info("{} has changed: {} gates, {} connectors, {} chat servers", path_, servers->gates.size(),
               servers->connectors.size(), servers->chats.size());
  for (const Listener& listener : listeners_) listener(servers);
}

}  // namespace hubbub
