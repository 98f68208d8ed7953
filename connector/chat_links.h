#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/chat_link.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::connector {

// The links to all chat servers. One that has left the directory keeps its link for as long as it can be
// reached, because it may still hold rooms. Thread-safe. Owned by main.
class ChatLinks {
 public:
  // Called on gRPC's threads, one at a time for each server: see ChatLink::Listener.
  struct Listener {
    std::function<void(const std::string& server_id, ChatLink::Events&)> on_events;
    std::function<void(const std::string& server_id, uint64_t incarnation, bool fresh)> on_up;
    std::function<void(const std::string& server_id)> on_lost;
  };

  ChatLinks(std::string connector_id, Listener listener);
  ~ChatLinks() { Stop(); }

  // Opens links to the chat servers that are new in the directory, and closes those that have gone.
  void Update(const std::shared_ptr<const ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // Closes the links to servers that have left the directory and can not be reached any more.
  void Sweep() ABSL_LOCKS_EXCLUDED(mu_);
  // The link to the chat server that a room should be at, of those that can be reached; null if there are
  // none. A guess: the chat servers alone know who has the room.
  std::shared_ptr<ChatLink> BestFor(std::string_view room) const ABSL_LOCKS_EXCLUDED(mu_);
  // The link to a server by id; null if there is none.
  std::shared_ptr<ChatLink> Find(std::string_view server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  // The ids of the servers that can be reached.
  std::vector<std::string> Up() const ABSL_LOCKS_EXCLUDED(mu_);
  // True if every chat server of the directory has given this connector a lease.
  bool AllLeased() const ABSL_LOCKS_EXCLUDED(mu_);
  // Closes all.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    std::string id;
    bool listed = true;  // In the directory.
    std::shared_ptr<ChatLink> link;
  };

  std::shared_ptr<ChatLink> Open(const ServerInfo& server) const;

  const std::string connector_id_;
  const uint64_t incarnation_;  // Names this run of the connector.
  const Listener listener_;
  mutable Mutex mu_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::connector
