#pragma once

#include <memory>
#include <vector>

#include "gateway/entry_table.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/rpc/user_calls.h"
#include "services/string_map.h"

namespace hubbub::gateway {

// A gate's lines to the connectors: the status stream of each, which feeds the EntryTable. Thread-safe. Owned
// by Gate.
class ConnectorWatches {
 public:
  explicit ConnectorWatches(EntryTable& table);
  ~ConnectorWatches();

  // Opens lines to connectors that are new in the directory, and closes those to connectors that have gone.
  // One call at a time.
  void Update(const std::shared_ptr<const ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // Every connector of the directory, reachable or not, on the channel of its status stream.
  std::vector<rpc::ConnectorPeer> Connectors() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class ConnectorWatch;

  EntryTable& table_;
  mutable Mutex mu_;
  StringMap<std::shared_ptr<ConnectorWatch>> connectors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gateway
