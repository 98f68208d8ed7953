#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/entry_table.h"
#include "grpcpp/channel.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/rpc/user_calls.h"
#include "services/string_map.h"

namespace hubbub::gateway {

// A gate's lines to the other servers: the status stream of every connector, which feeds the EntryTable, and
// a channel to every chat server. Thread-safe. Owned by main.
class ServerWatches {
 public:
  explicit ServerWatches(EntryTable& table);
  ~ServerWatches();

  // Opens lines to servers that are new in the directory, and closes those to servers that have gone. One
  // call at a time.
  void Update(const std::shared_ptr<const ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // Every connector of the directory, reachable or not, on the channel of its status stream.
  std::vector<rpc::ConnectorPeer> Connectors() const ABSL_LOCKS_EXCLUDED(mu_);

  // True if the chat server with this id answers.
  bool ChatReachable(std::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class ConnectorWatch;
  struct ChatChannel {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
  };

  EntryTable& table_;
  mutable Mutex mu_;
  StringMap<std::shared_ptr<ConnectorWatch>> connectors_ ABSL_GUARDED_BY(mu_);
  StringMap<ChatChannel> chats_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gateway
