#include "services/directory/open_directory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "fmt/format.h"
#include "services/base/limits.h"
#include "services/directory/dns_directory.h"
#include "services/directory/file_directory.h"

namespace hubbub::directory {
namespace {

absl::StatusOr<Identity> IdentityOf(const ServerInfo& self, const std::string& advertise) {
  Identity identity = MakeIdentity(self);
  if (advertise.empty()) return identity;
  const bool has_port =
      advertise.back() != ']' &&
      advertise.find(':', advertise[0] == '[' ? advertise.find(']') : 0) != std::string::npos;
  auto parsed = ParseHostPort(
      "--advertise",
      has_port ? advertise : fmt::format("{}:{}", advertise, std::max<uint16_t>(self.client_port, 1)));
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "--advertise must be the host or host:port that clients are told, not \"{}\"", advertise));
  }
  identity.client_host = parsed->first;
  if (has_port) identity.client_port = parsed->second;
  return identity;
}

absl::StatusOr<OpenedDirectory> OpenFile(const DirectoryOptions& options) {
  const std::pair<const char*, const std::string&> of_dns[] = {
      {"gate_service", options.gate_service},     {"connector_service", options.connector_service},
      {"chat_service", options.chat_service},     {"dns_server", options.dns_server},
      {"advertise_host", options.advertise_host},
  };
  for (const auto& [flag, value] : of_dns) {
    if (value.empty()) continue;
    return absl::InvalidArgumentError(fmt::format(
        "--{} is for --directory=dns, but the directory is the file {}: choose one", flag, options.config));
  }
  auto directory = FileDirectory::Open(options.config, options.environment);
  if (!directory.ok()) return directory.status();
  auto self = FindServer(*(*directory)->servers(), options.kind, options.id);
  if (!self.ok()) {
    return absl::NotFoundError(fmt::format("{}: {}; --id says which one this is", options.config,
                                           std::string(self.status().message())));
  }
  auto identity = IdentityOf(*self, options.advertise);
  if (!identity.ok()) return identity.status();
  return OpenedDirectory{.directory = *std::move(directory),
                         .self = *self,
                         .identity = *std::move(identity),
                         .listen_host = self->host};
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

absl::StatusOr<OpenedDirectory> OpenDns(const DirectoryOptions& options) {
  if (absl::Status status = CheckName("--id", options.id); !status.ok()) return status;
  DnsDirectoryOptions dns{.dns_server = options.dns_server, .credentials = options.credentials};
  const struct {
    ServerKind kind;
    const char* flag;
    const std::string& value;
  } services[] = {{ServerKind::kGate, "--gate_service", options.gate_service},
                  {ServerKind::kConnector, "--connector_service", options.connector_service},
                  {ServerKind::kChat, "--chat_service", options.chat_service}};
  for (const auto& service : services) {
    if (service.value.empty()) {
      // A server listens on the port of its own service; gates look for connectors, and those for chat
      // servers.
      const bool wanted = service.kind == options.kind ||
                          (options.kind == ServerKind::kGate && service.kind == ServerKind::kConnector) ||
                          (options.kind == ServerKind::kConnector && service.kind == ServerKind::kChat);
      if (!wanted) continue;
      return absl::InvalidArgumentError(
          fmt::format("--directory=dns needs {}, the name:port of the {} servers' headless Service",
                      service.flag, ToString(service.kind)));
    }
    auto parsed = ParseHostPort(service.flag, service.value);
    if (!parsed.ok()) return parsed.status();
    dns.services[service.kind] = {parsed->first, parsed->second};
  }
  const std::string host = options.advertise_host.empty() ? HostName() : options.advertise_host;
  dns.self = {.kind = options.kind,
              .id = options.id,
              .host = host,
              .port = dns.services[options.kind].port,
              .client_host = host,
              .client_port = options.client_port};
  auto identity = IdentityOf(dns.self, options.advertise);
  if (!identity.ok()) return identity.status();
  dns.identity = *std::move(identity);
  OpenedDirectory opened{
      .directory = nullptr, .self = dns.self, .identity = dns.identity, .listen_host = "0.0.0.0"};
  auto directory = DnsDirectory::Open(std::move(dns));
  if (!directory.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--dns_server: {}", std::string(directory.status().message())));
  }
  opened.directory = *std::move(directory);
  return opened;
}

}  // namespace

absl::StatusOr<std::pair<std::string, uint16_t>> ParseHostPort(std::string_view flag, std::string_view text) {
  const size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  std::string_view number = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    host = "";  // An IPv6 address without brackets: which colon is the port's?
  }
  unsigned port = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
  // Strict, because of what is easily left in such a flag: a scheme, a path, a variable that was not
  // replaced.
  const bool possible = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  });
  if (host.empty() || !possible || host.front() == '.' || number.empty() || error != std::errc() ||
      end != number.data() + number.size() || port == 0 || port > 65535) {
    return absl::InvalidArgumentError(
        fmt::format("{} must be host:port with a port from 1 to 65535, not \"{}\"", flag, text));
  }
  return std::pair(std::string(host), static_cast<uint16_t>(port));
}

absl::StatusOr<OpenedDirectory> OpenDirectory(const DirectoryOptions& options) {
  if (options.source == "file") return OpenFile(options);
  if (options.source == "dns") return OpenDns(options);
  return absl::InvalidArgumentError(
      fmt::format("--directory must be file or dns, not \"{}\"", options.source));
}

}  // namespace hubbub::directory
