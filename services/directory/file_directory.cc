#include "services/directory/file_directory.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "fmt/format.h"
#include "services/directory/servers_json.h"
#include "spdlog/spdlog.h"

namespace hubbub::directory {

absl::StatusOr<std::unique_ptr<FileDirectory>> FileDirectory::Open(std::string path,
                                                                   std::string environment) {
  auto directory = std::unique_ptr<FileDirectory>(new FileDirectory(std::move(path), std::move(environment)));
  std::ifstream file(directory->path_);
  if (!file) {
    return absl::NotFoundError(fmt::format(
        "{}: this file cannot be read ({}): name the file that lists the suite's servers with --config",
        directory->path_, std::generic_category().message(errno)));
  }
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

std::shared_ptr<const ServerList> FileDirectory::servers() const {
  MutexLock lock(mu_);
  return servers_;
}

void FileDirectory::Poll() {
  std::ifstream file(path_);
  std::stringstream stream;
  if (file) stream << file.rdbuf();
  std::string text = file ? stream.str() : "";
  if (text == text_) return;
  text_ = std::move(text);
  if (!file)
    return spdlog::error("{}: this file cannot be read any more; the servers stay as they were", path_);
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

}  // namespace hubbub::directory
