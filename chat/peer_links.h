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
inline constexpr uint32_t kPeerContract = 2;

// This chat server's lines to all others: a Watch stream, which feeds the OwnerTable, and a channel for
// calls. Whom the table knows has a line: so one that has left the directory keeps it for as long as it can
// be reached, for it may still hold rooms. Thread-safe. Outlives its calls.
class PeerLinks {
 public:
  // Called on gRPC's threads, one at a time for each server.
  struct Listener {
    // What a server held is lost: it can not be reached, which the table is told afterwards, or has been
    // restarted.
    std::function<void(const std::string& server_id, uint64_t incarnation)> on_lost;
    // It is back, with all that it held.
    std::function<void(const std::string& server_id)> on_back;
    // True if this process may have been stopped, and Doubt has not been called since. What comes until then
    // may be old, and is passed over.
    std::function<bool()> stopped;
  };

  PeerLinks(std::string id, OwnerTable& owners, Listener listener);
  ~PeerLinks();

  // Opens and closes lines as the table is by now. Call it after OwnerTable::SetServers, and several times a
  // second.
  void Update() ABSL_LOCKS_EXCLUDED(change_mu_, mu_);
  // This process was stopped: closes all streams, puts every server in doubt (OwnerTable::Doubt), calls
  // `doubted`, and asks all anew.
  void Doubt(const std::function<void()>& doubted) ABSL_LOCKS_EXCLUDED(change_mu_, mu_);
  // Closes all, and waits for their last callbacks.
  void Stop() ABSL_LOCKS_EXCLUDED(change_mu_, mu_);

  OwnerStub StubOf(const std::string& server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  // PeerService.Import at this server. UNAVAILABLE if there is no line.
  void Import(const std::string& server_id, const HandOver::Batch& batch, HandOver::Done done) const
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  class Link;
  using LinkPtr = std::shared_ptr<Link>;

  LinkPtr Find(const std::string& server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  LinkPtr Open(const ServerInfo& server);

  const std::string id_;
  OwnerTable& owners_;
  const Listener listener_;
  Mutex change_mu_;  // Held while lines are opened and closed. The callbacks of the lines never take it.
  bool stopped_ ABSL_GUARDED_BY(change_mu_) = false;
  mutable Mutex mu_;
  StringMap<LinkPtr> links_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
