#pragma once

#include <string>

#include "absl/flags/flag.h"
#include "services/discovery/open_directory.h"

// The flags that every program has to find the others. This defines them: for main.cc alone.

ABSL_FLAG(std::string, directory, "file",
          "How the servers find each other: file (--config), or dns (the --*_service flags)");
ABSL_FLAG(std::string, config, "deploy/servers.json",
          "With --directory=file: a file in the shape of Pomelo's servers.json, read again when it changes");
ABSL_FLAG(std::string, env, "development", "The environment within --config");
ABSL_FLAG(
    std::string, gate_service, "",
    "With --directory=dns: name:port that has the address of every gate and their gRPC port, such as a "
    "headless Service of Kubernetes, hubbub-gate.default.svc.cluster.local:4014; empty: not looked for");
ABSL_FLAG(std::string, connector_service, "",
          "With --directory=dns: name:port of the connectors, as --gate_service");
ABSL_FLAG(std::string, chat_service, "",
          "With --directory=dns: name:port of the chat servers, as --gate_service");
ABSL_FLAG(std::string, dns_server, "",
          "With --directory=dns: the DNS server to ask, address or address:port; empty means the system's");
ABSL_FLAG(std::string, advertise_host, "",
          "With --directory=dns: this server's own host, as it shows it; empty means the machine's name");

namespace hubbub {

inline DirectoryOptions DirectoryOptionsFromFlags(ServerKind kind, std::string id, uint16_t client_port) {
  return {.source = absl::GetFlag(FLAGS_directory),
          .kind = kind,
          .id = std::move(id),
          .config = absl::GetFlag(FLAGS_config),
          .environment = absl::GetFlag(FLAGS_env),
          .gate_service = absl::GetFlag(FLAGS_gate_service),
          .connector_service = absl::GetFlag(FLAGS_connector_service),
          .chat_service = absl::GetFlag(FLAGS_chat_service),
          .dns_server = absl::GetFlag(FLAGS_dns_server),
          .advertise_host = absl::GetFlag(FLAGS_advertise_host),
          .client_port = client_port};
}

}  // namespace hubbub
