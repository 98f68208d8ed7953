#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hubbub::directory {

enum class ServerKind { kGate, kConnector, kChat };
std::string_view ToString(ServerKind kind);

// Where there may be a server; its gRPC port is the one of its kind.
struct Address {
  ServerKind kind = ServerKind::kChat;
  std::string host = {};
  auto operator<=>(const Address&) const = default;
};

// One server: a line of servers.json, or what a server said of itself.
struct ServerInfo {
  ServerKind kind = ServerKind::kChat;
  std::string id = {};
  std::string host = {};         // Where the other servers reach it.
  uint16_t port = 0;             // Its gRPC port.
  std::string client_host = {};  // Where clients reach it; `host` unless it is said otherwise.
  uint16_t client_port = 0;      // WebSocket and TCP; gates and connectors.

  std::string grpc_address() const;
  bool operator==(const ServerInfo&) const = default;
};

// Who the servers are, at one moment. Immutable once shared.
struct ServerList {
  std::vector<ServerInfo> gates;
  std::vector<ServerInfo> connectors;
  std::vector<ServerInfo> chats;

  const std::vector<ServerInfo>& of(ServerKind kind) const;
  bool operator==(const ServerList&) const = default;
};

// Where a process's ServerList comes from: FileDirectory, or DnsDirectory. Thread-safe but for the listeners,
// which belong to the thread that polls. Owned by ServerMain, which polls it.
class Directory {
 public:
  using Listener = std::function<void(const std::shared_ptr<const ServerList>&)>;

  virtual ~Directory() = default;

  // The servers as they are known now; never null.
  virtual std::shared_ptr<const ServerList> servers() const = 0;

  // If there is news, takes it over and tells the listeners. Never blocks on the network, and is cheap enough
  // to be called several times a second.
  virtual void Poll() = 0;

  // To be set before the first Poll. Called on the thread that polls.
  virtual void OnChange(Listener listener) = 0;

  // Another server says that it is there. A directory that knows by itself who is there minds no such news.
  virtual void Heard(const Address& /*address*/) {}
  // Who was heard of and is not known otherwise yet.
  virtual std::vector<Address> Newcomers() const { return {}; }
};

// The server with this id and kind; NOT_FOUND says which ids there are.
absl::StatusOr<ServerInfo> FindServer(const ServerList& servers, ServerKind kind, std::string_view id);

}  // namespace hubbub::directory
