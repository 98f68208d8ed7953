#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "chat/forward.h"
#include "chat/hand_over.h"
#include "chat/owner_table.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::chat {

// The version of proto/hubbub/chat/v1/peer.proto that this program speaks. Another one of a peer is refused.
inline constexpr uint32_t kPeerContract = 1;

// This chat server's lines to all others: a Watch stream, which feeds the OwnerTable, and a channel for
// calls. A server that has left the directory keeps its line for as long as it can be reached, for it may
// still hold rooms. Update, Sweep, Reconnect and Stop are for one thread; the rest is thread-safe. Outlives
// its calls.
class PeerLinks {
 public:
  // Called on gRPC's threads, one at a time for each server.
  struct Listener {
    // What a server held is lost: it can not be reached, which the table is told afterwards, or has been
    // restarted.
    std::function<void(const std::string& server_id, uint64_t incarnation)> on_lost;
    // It is back, with all that it held.
    std::function<void(const std::string& server_id)> on_back;
  };

  PeerLinks(std::string id, OwnerTable& owners, Listener listener);
  ~PeerLinks();

  void Update(const ServerList& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // Closes the lines to servers that have left the directory and can not be reached any more.
  void Sweep() ABSL_LOCKS_EXCLUDED(mu_);
  // Opens all streams anew: what they said before may be old.
  void Reconnect() ABSL_LOCKS_EXCLUDED(mu_);
  // Closes all, and waits for their last callbacks.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  OwnerStub StubOf(const std::string& server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  // PeerService.Import at this server. UNAVAILABLE if there is no line.
  void Import(const std::string& server_id, const HandOver::Rooms& rooms,
              std::function<void(absl::Status)> done) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class Link;
  using LinkPtr = std::shared_ptr<Link>;

  LinkPtr Find(const std::string& server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  LinkPtr Open(const ServerInfo& server);

  const std::string id_;
  OwnerTable& owners_;
  const Listener listener_;
  mutable Mutex mu_;
  StringMap<LinkPtr> links_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
