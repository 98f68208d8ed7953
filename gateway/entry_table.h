#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::gateway {

// What a gate knows of one connector.
struct ConnectorState {
  std::string id;
  std::string client_host;
  uint16_t client_port = 0;
  uint32_t sessions = 0;
  bool reachable = false;
  bool draining = false;
};

// Which connector serves a user: by rendezvous hash over the connectors that can be reached and do not drain,
// with bounded load: one that holds more than 1.25 times the mean and kSlack is passed over. Depends on the
// connectors' own figures alone, so that any number of gates give the same answer. Thread-safe.
class EntryTable {
 public:
  // Sessions above the bound that are nothing to mind. The figures are up to a second old: without a slack,
  // the first client of a new suite would turn all others away from its connector for so long.
  static constexpr uint64_t kSlack = 50;

  // Adds a connector or replaces what is known of it.
  void Put(ConnectorState state) ABSL_LOCKS_EXCLUDED(mu_);
  void SetUnreachable(std::string_view id) ABSL_LOCKS_EXCLUDED(mu_);
  void Remove(std::string_view id) ABSL_LOCKS_EXCLUDED(mu_);

  // The connector of a user; UNAVAILABLE if there is none.
  absl::StatusOr<ConnectorState> Pick(std::string_view user) const ABSL_LOCKS_EXCLUDED(mu_);
  // How many connectors can be reached.
  size_t Reachable() const ABSL_LOCKS_EXCLUDED(mu_);
  // What is known of one; with an empty id if nothing is.
  ConnectorState Get(std::string_view id) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  std::vector<ConnectorState> states_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gateway
