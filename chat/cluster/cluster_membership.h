#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "chat/store/store.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// The chat servers of the suite, as the store lists them, with what this server knows of itself and of the
// directory: which runs live, and which of them should have which slot. Pure. Not thread-safe.
class ClusterMembership {
 public:
  // A run of another server that lives.
  struct Peer {
    std::string id;
    uint64_t incarnation = 0;
    std::string address;

    bool operator==(const Peer&) const = default;
  };

  // `self`: this server's id.
  explicit ClusterMembership(std::string self) : self_(std::move(self)) {}

  const std::string& self() const { return self_; }
  // This run of the server; 0: none.
  uint64_t incarnation() const { return incarnation_; }
  void BeginAnew(uint64_t incarnation) { incarnation_ = incarnation; }
  // While it drains, this server should have no slot. Others are told by the store.
  bool draining() const { return draining_; }
  void SetDraining(bool draining) { draining_ = draining; }
  // The chat servers that the directory lists.
  void SetListed(StringSet ids) { listed_ = std::move(ids); }
  // Those that the store lists by now, in the place of those before. True if another run with this server's
  // id lives.
  bool SetServers(const std::vector<StoredServer>& servers);

  // The runs that are gone by this view and that, as known so far, lived or owned slots.
  std::vector<StoredServer> NewlyGone(const StoreView& view) const;
  // A run that the store lists; null if it does not. Valid until SetServers.
  const StoredServer* Find(uint64_t incarnation) const;
  // True if the run is listed and not gone.
  bool Lives(uint64_t incarnation) const;
  // The run of a server that lives; 0 if there is none.
  uint64_t LivingRun(std::string_view id) const;
  // True if another server that lives drains.
  bool OthersDrain() const;
  std::vector<Peer> Peers() const;

  // For each of so many slots the run that should have it, the best of those that live and do not drain; 0:
  // there is none.
  std::vector<uint64_t> Heirs(int slots) const;
  // True if the heir of a slot of this server may be given it: another, which connectors can find. A server
  // that drains gives to any: better there than nowhere.
  bool MayBeGiven(uint64_t heir) const;

 private:
  const std::string self_;
  uint64_t incarnation_ = 0;
  bool draining_ = false;
  StringSet listed_;
  absl::flat_hash_map<uint64_t, StoredServer> servers_;  // By incarnation.
};

}  // namespace hubbub::chat
