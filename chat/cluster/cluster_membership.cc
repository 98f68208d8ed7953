#include "chat/cluster/cluster_membership.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "services/base/rendezvous.h"
#include "services/base/slot.h"

namespace hubbub::chat {

bool ClusterMembership::SetServers(const std::vector<StoredServer>& servers) {
  bool namesake = false;
  servers_.clear();
  for (const StoredServer& server : servers) {
    namesake |= !server.gone && server.id == self_ && server.incarnation != incarnation_;
    servers_.emplace(server.incarnation, server);
  }
  return namesake;
}

std::vector<StoredServer> ClusterMembership::NewlyGone(const StoreView& view) const {
  absl::flat_hash_set<uint64_t> owners;
  for (const StoredSlot& row : view.slots) owners.insert(row.owner);
  std::vector<StoredServer> gone;
  absl::flat_hash_set<uint64_t> listed;
  for (const StoredServer& server : view.servers) {
    listed.insert(server.incarnation);
    const StoredServer* const known = Find(server.incarnation);
    const bool lived = known == nullptr ? owners.contains(server.incarnation) : !known->gone;
    if (server.gone && lived) gone.push_back(server);
  }
  // The store lists a run that is gone only while it still owns slots.
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && !listed.contains(incarnation)) gone.push_back(server);
  }
  return gone;
}

const StoredServer* ClusterMembership::Find(uint64_t incarnation) const {
  const auto at = servers_.find(incarnation);
  return at == servers_.end() ? nullptr : &at->second;
}

bool ClusterMembership::Lives(uint64_t incarnation) const {
  const StoredServer* const server = Find(incarnation);
  return server != nullptr && !server->gone;
}

uint64_t ClusterMembership::LivingRun(std::string_view id) const {
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && server.id == id) return incarnation;
  }
  return 0;
}

bool ClusterMembership::OthersDrain() const {
  return std::any_of(servers_.begin(), servers_.end(), [this](const auto& entry) {
    return entry.second.id != self_ && !entry.second.gone && entry.second.draining;
  });
}

std::vector<ClusterMembership::Peer> ClusterMembership::Peers() const {
  std::vector<Peer> peers;
  for (const auto& [incarnation, server] : servers_) {
    if (!server.gone && server.id != self_) peers.push_back({server.id, incarnation, server.address});
  }
  return peers;
}

std::vector<uint64_t> ClusterMembership::Heirs(int slots) const {
  std::vector<StoredServer> able;
  for (const auto& [incarnation, server] : servers_) {
    const bool draining = incarnation == incarnation_ ? draining_ : server.draining;
    if (!server.gone && !draining) able.push_back(server);
  }
  std::vector<uint64_t> heirs;
  heirs.reserve(static_cast<size_t>(slots));
  for (int i = 0; i < slots; ++i) {
    const StoredServer* const best =
        RendezvousPick(able, SlotKey(i), [](const StoredServer&) { return true; });
    heirs.push_back(best == nullptr ? 0 : best->incarnation);
  }
  return heirs;
}

bool ClusterMembership::MayBeGiven(uint64_t heir) const {
  const StoredServer* const server = Find(heir);
  if (server == nullptr || heir == incarnation_) return false;
  return draining_ || listed_.contains(server->id);
}

}  // namespace hubbub::chat
