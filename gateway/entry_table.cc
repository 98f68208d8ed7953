#include "gateway/entry_table.h"

#include <algorithm>
#include <utility>

#include "services/rendezvous.h"

namespace hubbub::gateway {

void EntryTable::Put(ConnectorState state) {
  MutexLock lock(mu_);
  const auto at =
      std::find_if(states_.begin(), states_.end(), [&](const auto& known) { return known.id == state.id; });
  if (at == states_.end()) {
    states_.push_back(std::move(state));
  } else {
    *at = std::move(state);
  }
}

void EntryTable::SetUnreachable(std::string_view id) {
  MutexLock lock(mu_);
  for (ConnectorState& state : states_) {
    if (state.id == id) state.reachable = false;
  }
}

void EntryTable::Remove(std::string_view id) {
  MutexLock lock(mu_);
  std::erase_if(states_, [&](const auto& state) { return state.id == id; });
}

absl::StatusOr<ConnectorState> EntryTable::Pick(std::string_view user) const {
  MutexLock lock(mu_);
  const auto open = [](const ConnectorState& state) { return state.reachable && !state.draining; };
  uint64_t sessions = 0;
  uint64_t count = 0;
  for (const ConnectorState& state : states_) {
    if (!open(state)) continue;
    sessions += state.sessions;
    ++count;
  }
  if (count == 0) return absl::UnavailableError("no connector can be reached");
  // The newcomer counts, and there is always one below the bound: the least loaded.
  const uint64_t most = (5 * (sessions + 1) + 4 * count - 1) / (4 * count) + kSlack;
  return *RendezvousPick(states_, user,
                         [&](const ConnectorState& state) { return open(state) && state.sessions < most; });
}

size_t EntryTable::Reachable() const {
  MutexLock lock(mu_);
  return static_cast<size_t>(
      std::count_if(states_.begin(), states_.end(), [](const auto& state) { return state.reachable; }));
}

ConnectorState EntryTable::Get(std::string_view id) const {
  MutexLock lock(mu_);
  for (const ConnectorState& state : states_) {
    if (state.id == id) return state;
  }
  return {};
}

}  // namespace hubbub::gateway
