#include "bench/usage.h"

#include <time.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace hubbub::bench {
namespace {

absl::StatusOr<std::string> ReadProc(const Server& server, const char* file) {
  std::ifstream in(absl::StrFormat("/proc/%d/%s", server.pid, file));
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) {
    return absl::NotFoundError(
        absl::StrFormat("the server %s (process %d) does not run any more", server.name, server.pid));
  }
  return text.str();
}

// The number of kilobytes behind "<name>:" as bytes; 0 if it is not there.
uint64_t BytesOf(const std::string& text, const std::string& name) {
  const size_t at = text.find(absl::StrFormat("\n%s:", name));
  return at == std::string::npos ? 0 : 1024 * std::strtoull(text.c_str() + at + name.size() + 2, nullptr, 10);
}

}  // namespace

absl::StatusOr<std::vector<Server>> ParseServers(std::string_view text) {
  std::vector<Server> servers;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(part.size() < text.size() ? part.size() + 1 : part.size());
    const size_t equals = part.find('=');
    const std::string_view digits = equals == std::string_view::npos ? part : part.substr(equals + 1);
    Server server{.name = std::string(part.substr(0, equals))};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), server.pid);
    if (error != std::errc() || end != digits.data() + digits.size() || server.pid <= 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("'%s' is no process: give name=pid, such as chat-1=4711", std::string(part)));
    }
    servers.push_back(std::move(server));
  }
  return servers;
}

absl::StatusOr<Usage> UsageOf(const Server& server) {
  const auto stat = ReadProc(server, "stat");
  if (!stat.ok()) return stat.status();
  // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th fields behind it.
  std::istringstream fields(stat->substr(stat->rfind(')') + 1));
  std::string field;
  for (int i = 0; i < 11; ++i) fields >> field;
  double user = 0, system = 0;
  fields >> user >> system;
  Usage usage{.cpu_seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK))};
  const auto status = ReadProc(server, "status");
  if (!status.ok()) return status.status();
  usage.resident_bytes = BytesOf(*status, "VmRSS");
  // Only the process's owner may read this.
  if (const auto maps = ReadProc(server, "smaps_rollup"); maps.ok())
    usage.proportional_bytes = BytesOf(*maps, "Pss");
  return usage;
}

absl::StatusOr<std::vector<Usage>> UsageOf(const std::vector<Server>& servers) {
  std::vector<Usage> usages;
  for (const Server& server : servers) {
    const auto usage = UsageOf(server);
    if (!usage.ok()) return usage.status();
    usages.push_back(*usage);
  }
  return usages;
}

double OwnCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace hubbub::bench
