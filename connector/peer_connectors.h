#pragma once

#include <string>
#include <vector>

#include "services/directory/directory.h"
#include "services/rpc/channel.h"
#include "services/rpc/server_lines.h"
#include "services/rpc/user_calls.h"

namespace hubbub::connector {

// A connector's lines to the other connectors of the directory, for calls that reach users wherever they are.
// A line is dialled when it is first used. Thread-safe. Owned by Connector.
class PeerConnectors {
 public:
  // `self`: this connector's id, to which there is no line.
  PeerConnectors(std::string self, rpc::Credentials credentials);

  // Takes over another directory; calls that are under way on a line that has gone go on.
  void Update(const directory::ServerList& servers);
  std::vector<rpc::ConnectorPeer> All() const;

 private:
  const std::string self_;
  rpc::ServerLines<const rpc::ConnectorPeer, directory::ServerInfo> lines_;
};

}  // namespace hubbub::connector
