#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "services/directory/directory.h"

namespace hubbub::directory {

// Reads a file in the shape of Pomelo's servers.json, for one of its environments. Pomelo's own files work
// unchanged: `port` is the gRPC port, `clientPort` the clients'; a gate or connector without `port` gets
// clientPort + 1000. Kinds of server that Hubbub does not have are passed over. INVALID_ARGUMENT, with line
// and place, for what cannot be: broken JSON, a server without id or host, a port out of range, an id or an
// address that stands twice. A pure function.
absl::StatusOr<ServerList> ParseServers(std::string_view json, std::string_view environment);

}  // namespace hubbub::directory
