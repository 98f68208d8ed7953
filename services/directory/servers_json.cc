#include "services/directory/servers_json.h"

#include <algorithm>
#include <map>
#include <utility>

#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/base/host_port.h"
#include "services/base/limits.h"
#include "services/directory/entry_lines.h"

namespace hubbub::directory {
namespace {

namespace json = boost::json;

// The 1-based line of the byte at `offset`.
size_t LineOf(std::string_view text, size_t offset) {
  return 1 +
         static_cast<size_t>(std::count(
             text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), '\n'));
}

absl::StatusOr<json::value> Parse(std::string_view text) {
  json::stream_parser parser;
  json::error_code error;
  const size_t parsed = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (!error && text.find_first_not_of(" \t\r\n", parsed) != std::string_view::npos)
    error = json::error::extra_data;
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("line {}: this is no JSON: {}", LineOf(text, parsed), error.message()));
  }
  return parser.release();
}

absl::StatusOr<std::string> Text(const json::object& server, std::string_view field,
                                 const std::string& where) {
  const json::value* value = server.if_contains({field.data(), field.size()});
  if (value == nullptr) return absl::InvalidArgumentError(fmt::format("{} has no {}", where, field));
  if (!value->is_string() || value->get_string().empty()) {
    return absl::InvalidArgumentError(fmt::format("{}: {} must be a text that is not empty", where, field));
  }
  return std::string(value->get_string());
}

// Pomelo's own files hold ports as numbers, some people's as text.
absl::StatusOr<int> Port(const json::object& server, std::string_view field, const std::string& where) {
  const json::value* value = server.if_contains({field.data(), field.size()});
  if (value == nullptr) return -1;
  int64_t port = -1;
  if (value->is_int64()) port = value->get_int64();
  if (value->is_string() && !value->get_string().empty() && value->get_string().size() <= 5 &&
      std::all_of(value->get_string().begin(), value->get_string().end(),
                  [](char c) { return c >= '0' && c <= '9'; })) {
    port = std::stoi(std::string(value->get_string()));
  }
  if (port < 0 || port > 65535) {
    return absl::InvalidArgumentError(fmt::format("{}: {} must be a number from 0 to 65535", where, field));
  }
  return static_cast<int>(port);
}

absl::StatusOr<ServerInfo> ParseServer(ServerKind kind, const json::value& value, const std::string& where) {
  if (!value.is_object()) return absl::InvalidArgumentError(where + " must be an object");
  const json::object& server = value.get_object();
  auto id = Text(server, "id", where);
  if (!id.ok()) return id.status();
  if (absl::Status status = CheckName(where + ": id", *id); !status.ok()) return status;
  auto host = Text(server, "host", where);
  if (!host.ok()) return host.status();
  ServerInfo info{.kind = kind, .id = *std::move(id), .host = *host, .client_host = *std::move(host)};
  if (server.contains("clientHost")) {
    auto client_host = Text(server, "clientHost", where);
    if (!client_host.ok()) return client_host.status();
    info.client_host = *std::move(client_host);
  }
  auto port = Port(server, "port", where);
  if (!port.ok()) return port.status();
  auto client_port = Port(server, "clientPort", where);
  if (!client_port.ok()) return client_port.status();
  if (kind == ServerKind::kChat) {
    if (*port < 0) return absl::InvalidArgumentError(where + " has no port");
  } else {
    if (*client_port < 0) return absl::InvalidArgumentError(where + " has no clientPort");
    // Pomelo's front-end servers need no port of their own there. Port 0 means any free one, for both.
    if (*port < 0) *port = *client_port == 0 ? 0 : *client_port + 1000;
    if (*port > 65535)
      return absl::InvalidArgumentError(where + ": clientPort + 1000 is no port; give a port");
    info.client_port = static_cast<uint16_t>(*client_port);
  }
  info.port = static_cast<uint16_t>(*port);
  return info;
}

// Ids and addresses seen so far, with the line of each.
class Uniqueness {
 public:
  absl::Status Add(const ServerInfo& server, size_t line) {
    const auto [same, is_new] = ids_.emplace(server.id, line);
    if (!is_new) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: the id '{}' stands twice, first on line {}; ids are unique in the suite",
                      line, server.id, same->second));
    }
    for (const uint16_t port : {server.port, server.client_port}) {
      if (port == 0) continue;
      const std::string address = HostPort(server.host, port);
      const auto [other, added] = addresses_.emplace(address, std::pair(server.id, line));
      if (!added) {
        return absl::InvalidArgumentError(
            fmt::format("line {}: '{}' and '{}' have the same address {} (see line {})", line,
                        other->second.first, server.id, address, other->second.second));
      }
    }
    return absl::OkStatus();
  }

 private:
  std::map<std::string, size_t> ids_;
  std::map<std::string, std::pair<std::string, size_t>> addresses_;
};

}  // namespace

absl::StatusOr<ServerList> ParseServers(std::string_view text, std::string_view environment) {
  auto root = Parse(text);
  if (!root.ok()) return root.status();
  if (!root->is_object())
    return absl::InvalidArgumentError("the file must hold one object, with an environment for each key");
  const json::value* chosen = root->get_object().if_contains({environment.data(), environment.size()});
  if (chosen == nullptr || !chosen->is_object()) {
    return absl::InvalidArgumentError(
        fmt::format("the environment '{}' is missing or is no object", environment));
  }
  const EntryLines lines = FindEntryLines(text, environment);
  ServerList servers;
  Uniqueness unique;
  for (const auto& [kind_name, entries] : chosen->get_object()) {
    ServerKind kind;
    if (kind_name == "gate") {
      kind = ServerKind::kGate;
    } else if (kind_name == "connector") {
      kind = ServerKind::kConnector;
    } else if (kind_name == "chat") {
      kind = ServerKind::kChat;
    } else {
      continue;
    }
    const KindLines& kind_lines = lines.at(std::string(kind_name));
    const std::string place = fmt::format("{}.{}", environment, std::string(kind_name));
    if (!entries.is_array()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: {} must be an array of servers", kind_lines.list, place));
    }
    auto& list = kind == ServerKind::kGate        ? servers.gates
                 : kind == ServerKind::kConnector ? servers.connectors
                                                  : servers.chats;
    for (const json::value& entry : entries.get_array()) {
      const size_t line = kind_lines.servers.at(list.size());
      auto server = ParseServer(kind, entry, fmt::format("line {}: {}[{}]", line, place, list.size()));
      if (!server.ok()) return server.status();
      if (absl::Status status = unique.Add(*server, line); !status.ok()) return status;
      list.push_back(*std::move(server));
    }
  }
  return servers;
}

}  // namespace hubbub::directory
