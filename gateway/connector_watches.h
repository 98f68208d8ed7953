#pragma once

#include <memory>
#include <vector>

#include "gateway/entry_table.h"
#include "services/directory/directory.h"
#include "services/rpc/channel.h"
#include "services/rpc/server_lines.h"
#include "services/rpc/user_calls.h"

namespace hubbub::gate {

// A gate's lines to the connectors: the status stream of each, which feeds the EntryTable. Thread-safe. Owned
// by Gate.
class ConnectorWatches {
 public:
  ConnectorWatches(EntryTable& table, rpc::Credentials credentials);

  // Opens lines to connectors that are new in the directory, and closes those to connectors that have gone.
  void Update(const std::shared_ptr<const directory::ServerList>& servers);
  // Every connector of the directory, reachable or not, on the channel of its status stream.
  std::vector<rpc::ConnectorPeer> Connectors() const;

 private:
  class ConnectorWatch;

  rpc::ServerLines<ConnectorWatch, directory::ServerInfo> watches_;
};

}  // namespace hubbub::gate
