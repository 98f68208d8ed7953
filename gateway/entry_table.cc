#include "gateway/entry_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "services/base/rendezvous.h"

namespace hubbub::gate {
namespace {

bool Open(const ConnectorState& state) {
  return state.reachable && !state.draining;
}

bool HasRoom(const ConnectorState& state, uint64_t sent) {
  return state.capacity == 0 || state.sessions + sent < state.capacity;
}

// What there is room for in the connectors that are open, by the figures that they told.
struct Room {
  uint64_t sessions = 0;
  uint64_t capacity = 0;  // Those that do not tell theirs have the mean of the others.
  uint64_t mean = 1;
  uint64_t most_free = 0;

  uint64_t CapacityOf(const ConnectorState& state) const {
    return state.capacity > 0 ? state.capacity : mean;
  }

  // 1.25 times the share of all sessions that is due to it, rounded up, and the slack. The newcomer counts.
  uint64_t Bound(const ConnectorState& state) const {
    return (5 * (sessions + 1) * CapacityOf(state) + 4 * capacity - 1) / (4 * capacity) + EntryTable::kSlack;
  }

  // 1 to 8: how much room it has, in eighths of the greatest.
  uint64_t WeightOf(const ConnectorState& state) const {
    if (state.capacity == 0 || most_free == 0) return 8;
    const uint64_t free = state.capacity - std::min(state.sessions, state.capacity);
    return std::max<uint64_t>(1, (8 * free + most_free - 1) / most_free);
  }
};

// A connector's, in weighted rendezvous hashing: with n times the weight it is the best for n times the
// users.
struct Chance {
  int64_t flaws = 0;  // What speaks against it whatever the hash says: the fewer, the better.
  uint64_t hash = 0;
  uint64_t weight = 0;
  std::string_view id = {};

  // The hash as a fraction between 0 and 1, whose logarithm the method takes.
  double Score() const {
    const double fraction = (static_cast<double>(hash >> 12) + 0.5) / 4503599627370496.0;  // 2^52
    return -static_cast<double>(weight) / std::log(fraction);
  }
  bool Beats(const Chance& other) const {
    if (flaws != other.flaws) return flaws < other.flaws;
    if (weight != other.weight) return Score() > other.Score();
    // The hashes alone decide, as exactly as everywhere else.
    return hash != other.hash ? hash > other.hash : id < other.id;
  }
};

}  // namespace

void EntryTable::Put(ConnectorState state) {
  MutexLock lock(mu_);
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.state.id == state.id; });
  if (at == entries_.end()) {
    entries_.push_back({.state = std::move(state)});
  } else {
    *at = {.state = std::move(state)};
  }
}

void EntryTable::SetUnreachable(std::string_view id) {
  MutexLock lock(mu_);
  for (Entry& entry : entries_) {
    if (entry.state.id == id) entry.state.reachable = false;
  }
}

void EntryTable::Remove(std::string_view id) {
  MutexLock lock(mu_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.state.id == id; });
}

absl::StatusOr<ConnectorState> EntryTable::Pick(std::string_view user,
                                                std::span<const std::string> passed_over) {
  MutexLock lock(mu_);
  Room room;
  uint64_t open = 0;
  uint64_t telling = 0;
  for (const auto& [state, sent] : entries_) {
    if (!Open(state)) continue;
    ++open;
    room.sessions += state.sessions;
    room.most_free =
        std::max<uint64_t>(room.most_free, state.capacity - std::min(state.sessions, state.capacity));
    if (state.capacity == 0) continue;
    ++telling;
    room.capacity += state.capacity;
  }
  if (open == 0) return absl::UnavailableError("no connector can be reached");
  if (telling > 0) room.mean = room.capacity / telling;
  room.capacity += (open - telling) * room.mean;

  Entry* best = nullptr;
  Chance best_chance;
  for (Entry& entry : entries_) {
    const ConnectorState& state = entry.state;
    if (!state.Serves()) continue;
    const auto named = std::find(passed_over.rbegin(), passed_over.rend(), state.id);
    const bool roomy = HasRoom(state, entry.sent);
    const bool light = state.sessions < room.Bound(state);
    const Chance chance{.flaws = 3 * (passed_over.rend() - named) + (!roomy   ? 2
                                                                     : !light ? 1
                                                                              : 0),
                        .hash = RendezvousScore(user, state.id),
                        .weight = room.WeightOf(state),
                        .id = state.id};
    if (best != nullptr && !chance.Beats(best_chance)) continue;
    best = &entry;
    best_chance = chance;
  }
  if (best == nullptr) return absl::UnavailableError("every connector is full");
  ++best->sent;
  return best->state;
}

size_t EntryTable::Reachable() const {
  MutexLock lock(mu_);
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [](const Entry& entry) { return entry.state.reachable; }));
}

ConnectorState EntryTable::Get(std::string_view id) const {
  MutexLock lock(mu_);
  for (const Entry& entry : entries_) {
    if (entry.state.id == id) return entry.state;
  }
  return {};
}

}  // namespace hubbub::gate
