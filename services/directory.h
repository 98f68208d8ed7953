#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/mutex.h"

namespace hubbub {

enum class ServerKind { kGate, kConnector, kChat };
std::string_view ToString(ServerKind kind);

// One line of servers.json.
struct ServerInfo {
  ServerKind kind = ServerKind::kChat;
  std::string id;
  std::string host;          // Where the other servers reach it.
  uint16_t port = 0;         // Its gRPC port.
  std::string client_host;   // Where clients reach it; `host` unless the file says otherwise.
  uint16_t client_port = 0;  // WebSocket and TCP; gates and connectors.

  std::string grpc_address() const { return host + ":" + std::to_string(port); }
  bool operator==(const ServerInfo&) const = default;
};

// Who the servers are, at one moment. Immutable once shared.
struct ServerList {
  std::vector<ServerInfo> gates;
  std::vector<ServerInfo> connectors;
  std::vector<ServerInfo> chats;

  const std::vector<ServerInfo>& of(ServerKind kind) const;
  // The chat server that owns a room, by rendezvous hash; null if there is none.
  const ServerInfo* OwnerOf(std::string_view room) const;
  bool operator==(const ServerList&) const = default;
};

// Reads a file in the shape of Pomelo's servers.json, for one of its environments. Pomelo's own files work
// unchanged: `port` is the gRPC port, `clientPort` the clients'; a gate or connector without `port` gets
// clientPort + 1000. Kinds of server that Hubbub does not have are passed over. INVALID_ARGUMENT, with line
// or place, for what can not be: broken JSON, a server without id or host, a port out of range, an id or an
// address that stands twice.
absl::StatusOr<ServerList> ParseServers(std::string_view json, std::string_view environment);

// The source of a process's ServerList: a file. Thread-safe. Owned by main, which polls it.
class Directory {
 public:
  using Listener = std::function<void(const std::shared_ptr<const ServerList>&)>;

  // Reads the file once; NOT_FOUND or INVALID_ARGUMENT with its path.
  static absl::StatusOr<std::unique_ptr<Directory>> Open(std::string path, std::string environment);

  std::shared_ptr<const ServerList> servers() const ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the file again; if it has changed, takes it over and calls `on_change`. A file that can not be read
  // or is wrong leaves everything as it was and is logged once.
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

  // To be set before the first Poll. Called on the thread that polls.
  void OnChange(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  Directory(std::string path, std::string environment)
      : path_(std::move(path)), environment_(std::move(environment)) {}

  const std::string path_;
  const std::string environment_;
  std::vector<Listener> listeners_;  // Polling thread only, as text_ is.
  std::string text_;
  mutable Mutex mu_;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);
};

// The server with this id and kind; NOT_FOUND says which ids there are.
absl::StatusOr<ServerInfo> FindServer(const ServerList& servers, ServerKind kind, std::string_view id);

}  // namespace hubbub
