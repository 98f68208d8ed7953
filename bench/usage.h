#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::bench {

// A process of the system that is measured.
struct Server {
  std::string name;
  pid_t pid = 0;
};

// Parses a comma-separated list of "name=pid" or "pid". The error names the wrong entry.
absl::StatusOr<std::vector<Server>> ParseServers(std::string_view text);

struct Usage {
  double cpu_seconds = 0;           // User and system, since the process began.
  uint64_t resident_bytes = 0;      // VmRSS.
  uint64_t proportional_bytes = 0;  // PSS: pages that are shared count by their share.
};

// From /proc. NOT_FOUND if there is no such process any more.
absl::StatusOr<Usage> UsageOf(const Server& server);
absl::StatusOr<std::vector<Usage>> UsageOf(const std::vector<Server>& servers);
// Of this process itself.
double OwnCpuSeconds();

}  // namespace hubbub::bench
