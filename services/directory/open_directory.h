#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "services/directory/directory.h"
#include "services/directory/identity.h"
#include "services/rpc/channel.h"

namespace hubbub::directory {

// What the flags of a program say of the directory; see services/program/directory_flags.h.
struct DirectoryOptions {
  std::string source = "file";  // Or "dns".
  ServerKind kind = ServerKind::kChat;
  std::string id = {};
  // Of a file.
  std::string config = {};
  std::string environment = {};
  // Of DNS. The services are name:port, or empty.
  std::string gate_service = {};
  std::string connector_service = {};
  std::string chat_service = {};
  std::string dns_server = {};
  rpc::Credentials credentials = nullptr;  // Shown to the servers that DNS names.
  std::string advertise_host = {};
  uint16_t client_port = 0;
  // Of both: what clients are told instead of this server's own address, as host or host:port; or empty.
  std::string advertise = {};
};

// A process's directory, and its own place there.
struct OpenedDirectory {
  std::unique_ptr<Directory> directory;
  ServerInfo self;
  Identity identity;        // With the address that clients are told.
  std::string listen_host;  // What to listen on unless a flag says otherwise.
};

// Opens the source that the options name. INVALID_ARGUMENT or NOT_FOUND, as a sentence about the flags, for
// what cannot be: an unknown source, a flag of the other source, a missing or broken service, a file that is
// wrong or lacks this server.
absl::StatusOr<OpenedDirectory> OpenDirectory(const DirectoryOptions& options);

// "name:port" or "[address]:port" taken apart; INVALID_ARGUMENT for what no server can be reached by. `flag`
// is what the error calls it.
absl::StatusOr<std::pair<std::string, uint16_t>> ParseHostPort(std::string_view flag, std::string_view text);

}  // namespace hubbub::directory
