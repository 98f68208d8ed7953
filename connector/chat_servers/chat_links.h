#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/chat_servers/chat_link.h"
#include "services/base/mutex.h"
#include "services/directory/directory.h"
#include "services/rpc/channel.h"
#include "services/rpc/server_lines.h"

namespace hubbub::connector {

// The links to all chat servers. A server that has left the directory keeps its link for as long as it can be
// reached, because it may still hold rooms. Thread-safe. Owned by Connector.
class ChatLinks {
 public:
  // The links are shared out to the loops.
  ChatLinks(net::Loops& loops, ChatLinkOptions options, ChatLink::Listener listener);

  // Opens links to the chat servers that are new in the directory, and closes those to addresses that a
  // server has left; then as Sweep.
  void Update(const std::shared_ptr<const directory::ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // Closes the links to servers that have left the directory and cannot be reached any more.
  void Sweep() ABSL_LOCKS_EXCLUDED(mu_);
  // The link to the chat server that a room should be at, of those that can be reached; null if there are
  // none. A guess: the chat servers alone know who has the room.
  std::shared_ptr<ChatLink> BestFor(std::string_view room) const ABSL_LOCKS_EXCLUDED(mu_);
  // The link to a server by id; null if there is none.
  std::shared_ptr<ChatLink> Find(std::string_view server_id) const { return links_.Find(server_id); }
  // The ids of the servers that can be reached.
  std::vector<std::string> Up() const;
  // True if every chat server of the directory has given this connector a lease.
  bool AllLeased() const ABSL_LOCKS_EXCLUDED(mu_);
  // Closes all for good.
  void Stop() { links_.Stop(); }

 private:
  std::shared_ptr<const directory::ServerList> Servers() const ABSL_LOCKS_EXCLUDED(mu_);
  // True if the chat server has given this connector a lease that stands.
  bool Leased(const directory::ServerInfo& server) const;

  mutable Mutex mu_;
  std::shared_ptr<const directory::ServerList> servers_ ABSL_GUARDED_BY(mu_) =
      std::make_shared<const directory::ServerList>();
  rpc::ServerLines<ChatLink, directory::ServerInfo> links_;
};

}  // namespace hubbub::connector
