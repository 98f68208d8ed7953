#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "chat/cluster/pause_fence.h"
#include "chat/cluster/peer_links.h"
#include "chat/cluster/recovery.h"
#include "chat/cluster/rivals.h"
#include "chat/cluster/room_admission.h"
#include "chat/cluster/slot_keeper.h"
#include "chat/cluster/slot_table.h"
#include "chat/connectors/cluster.h"
#include "chat/connectors/leases.h"
#include "chat/rooms/room_table.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"
#include "services/directory/directory.h"
#include "services/rpc/channel.h"

namespace hubbub::chat {

// This chat server's view of the other chat servers: which of them live, which slots are whose, and whose
// loss is being recovered from. Holds no rooms. Thread-safe, but for the methods that say which thread they
// are for. Owned by ChatServer.
class ChatCluster final : public Cluster {
 public:
  struct Hooks {
    // What becomes of rooms here. Called on the keeper's thread.
    std::function<void(const std::vector<int>& slots)> slots_lost;
    // All slots, and all that connectors have here.
    std::function<void()> all_lost;
    // Whether what is said in a room could be kept. Thread-safe. Null: always.
    std::function<bool()> can_keep;
  };

  // `id`: this server's. Losses are recovered from for at most `recovery_limit_ms`. `open` connects to the
  // store; null: this server is alone. `history`: as StoredServer has it. `credentials`: of channels to the
  // other servers.
  ChatCluster(std::string id, int64_t recovery_limit_ms, SlotKeeper::Open open, Hooks hooks,
              std::string history = "memory", rpc::Credentials credentials = nullptr);

  // Goes to the store. `address`: where other servers reach this one, which listens by now. An error says why
  // the store cannot be used.
  absl::Status Start(std::string address, const std::shared_ptr<const directory::ServerList>& servers);
  void Update(const std::shared_ptr<const directory::ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // From now on this server should have no slot.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the store that this run is gone, and speaks to it no more.
  void Leave() { keeper_.Leave(); }
  // Closes the connections to the other servers and waits for their last callbacks.
  void Stop() { links_.Stop(); }

  // An error says why no room may be here now, whether it is made, read or taken over.
  absl::Status Ready() const override;
  uint64_t incarnation() const override { return slots_.incarnation(); }
  OwnerStub StubOf(const std::string& server_id) const override { return links_.StubOf(server_id); }
  Loss Report(const std::string& lost, uint64_t incarnation, const LossReport& report,
              RestoreDone done) override;

  // Notices that this process was stopped, connects to servers that have come, and makes the rooms of lost
  // servers in `rooms` when all connectors, or those with a lease here, have reported. For one thread, many
  // times a second.
  void Tick(int64_t now_ms, RoomTable& rooms, const Leases& leases) ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the connectors that wait for a recovery that there will be none. For the drain.
  void CancelRecovery();

  SlotTable& slots() { return slots_; }
  const SlotTable& slots() const { return slots_; }
  SlotKeeper& keeper() { return keeper_; }
  const SlotKeeper& keeper() const { return keeper_; }
  // Of rooms here.
  const Ownership& admission() const { return admission_; }
  PeerLinks& links() { return links_; }
  // Set once this server must not go on: another process has its id.
  std::optional<absl::Status> failure() const { return keeper_.failure(); }

 private:
  // True if the lost server's rooms that connectors have reported are here, or read.
  bool AllRead(const std::string& lost, RoomTable& rooms) const;
  bool AllTold(const std::string& lost, const StringSet& told, const Leases& leases) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Within this time every connector that can reach this server has subscribed to it.
  static constexpr int64_t kKnownAfterMs = 3'000;

  const std::string id_;
  const bool alone_;
  const std::function<bool()> can_keep_;
  const int64_t started_ms_;
  PauseFence fence_;
  SlotTable slots_;
  RoomAdmission admission_;
  Rivals rivals_;  // Stays without any if there is a store.
  Recovery recovery_;
  SlotKeeper keeper_;
  PeerLinks links_;
  mutable Mutex mu_;
  std::shared_ptr<const directory::ServerList> servers_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool unlisted_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
