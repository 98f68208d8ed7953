#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/directory.h"
#include "services/mutex.h"
#include "services/rpc/user_calls.h"
#include "services/string_map.h"

namespace hubbub::connector {

// A connector's lines to the other connectors of the directory, for calls that reach users wherever they are.
// A line is dialled when it is first used. Thread-safe. Owned by Connector.
class PeerConnectors {
 public:
  // `self`: this connector's id, to which there is no line.
  explicit PeerConnectors(std::string self) : self_(std::move(self)) {}

  // Takes over another directory; calls that are under way on a line that has gone go on.
  void Update(const ServerList& servers) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<rpc::ConnectorPeer> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Line {
    std::string address;
    rpc::ConnectorPeer peer;
  };

  const std::string self_;
  mutable Mutex mu_;
  StringMap<Line> lines_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::connector
