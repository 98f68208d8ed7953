#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"

namespace hubbub::gate {

// What a gate knows of one connector.
struct ConnectorState {
  std::string id;
  std::string client_host;
  uint16_t client_port = 0;
  uint32_t sessions = 0;
  uint32_t capacity = 0;  // The most sessions that it takes; 0: it does not tell, as older ones do not.
  bool reachable = false;
  bool draining = false;

  // By what is known, it can take one more.
  bool Serves() const { return reachable && !draining && (capacity == 0 || sessions < capacity); }
};

// Which connector serves a user. Those that are away, drain or are full serve nobody. Among the others it is
// decided by rendezvous hash, in which each weighs what room it has, in eighths of the greatest: so as long
// as all have much the same room, a user's connector stays the same, and any number of gates give the same
// answer. The load is bounded besides: one that holds more than 1.25 times its share of all sessions, by
// capacity, and kSlack is passed over. One that does not tell its capacity has as much room as any other, and
// is never full.
//
// The figures are up to a second old, though a connector tells at once that it has become full or has room
// again. So what this gate has answered since counts too where the question is whether one is full; if that
// leaves none, the figures alone decide, for those who were sent may have arrived and been counted.
// Thread-safe.
class EntryTable {
 public:
  // Sessions above the bound that are nothing to mind. The figures are up to a second old: without a slack,
  // the first client of a new suite would turn all others away from its connector for so long.
  static constexpr uint64_t kSlack = 50;

  // Adds a connector or replaces what is known of it.
  void Put(ConnectorState state) ABSL_LOCKS_EXCLUDED(mu_);
  void SetUnreachable(std::string_view id) ABSL_LOCKS_EXCLUDED(mu_);
  void Remove(std::string_view id) ABSL_LOCKS_EXCLUDED(mu_);

  // The connector of a user, who is taken to go there now. One of `passed_over`, which are ids, only if no
  // other has room, and then the first of them that has. UNAVAILABLE if none can be reached, or all are full.
  absl::StatusOr<ConnectorState> Pick(std::string_view user, std::span<const std::string> passed_over = {})
      ABSL_LOCKS_EXCLUDED(mu_);
  // How many connectors can be reached.
  size_t Reachable() const ABSL_LOCKS_EXCLUDED(mu_);
  // What is known of one; with an empty id if nothing is.
  ConnectorState Get(std::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    ConnectorState state;
    uint64_t sent = 0;  // Users who were told this connector since its state came.
  };

  mutable Mutex mu_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gate
