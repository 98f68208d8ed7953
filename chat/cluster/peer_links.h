#pragma once

#include <memory>
#include <string>

#include "chat/cluster/hand_over.h"
#include "chat/cluster/slot_keeper.h"
#include "chat/cluster/slot_table.h"
#include "chat/connectors/cluster.h"
#include "hubbub/chat/v1/history.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/server_lines.h"

namespace hubbub::chat {

// The version of proto/hubbub/chat/v1/peer.proto that this program speaks. Another one of a peer is refused.
inline constexpr uint32_t kPeerContract = 3;

// This chat server's connections to all others that live by the store: for each a Watch stream, whose end is
// the first sign that the other has died, and a channel for calls. Thread-safe. Outlives its calls. Owned by
// ChatCluster.
class PeerLinks {
 public:
  // `id`: this server's. `slots` and `keeper` outlive this object; the keeper is told what the streams show.
  PeerLinks(std::string id, const SlotTable& slots, SlotKeeper& keeper,
            rpc::Credentials credentials = nullptr);

  // Opens and closes lines as the table is by now. Call it several times a second.
  void Update();
  // Closes all, and waits for their last callbacks.
  void Stop() { links_.Stop(); }

  OwnerStub StubOf(const std::string& server_id) const;
  // A way to ask that server about history; null if there is none.
  std::shared_ptr<v1::HistoryService::StubInterface> HistoryOf(const std::string& server_id) const;
  // PeerService.Import at this server. ABORTED if there is no line yet.
  void Import(const std::string& server_id, const HandOver::BatchPtr& batch, HandOver::Done done) const;

 private:
  class Link;

  const std::string id_;
  const rpc::Credentials credentials_;
  const SlotTable& slots_;
  SlotKeeper& keeper_;
  rpc::ServerLines<Link, SlotTable::Peer> links_;  // The last member: its end stops what uses the others.
};

}  // namespace hubbub::chat
