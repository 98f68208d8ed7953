#pragma once

#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "chat/store/store.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// Judges by refused connections which chat servers are gone: a server is gone if its address refused twice,
// kApartMs or more apart, and its beat in the store stood still between. Sooner than Beats, which needs no
// network. Pure. Not thread-safe. Times are SteadyNowMs.
class Refusals {
 public:
  static constexpr int64_t kApartMs = 100;
  // A server that refusals made gone, and that is back, is not judged by them for this time: what refuses may
  // be a firewall.
  static constexpr int64_t kTrustMs = 60'000;

  // The address of run `refused` has refused a connection. `view` was read after that. Answers the server if
  // it is gone by it and not yet marked so. One that drains is never among them: it closes its port itself.
  std::optional<StoredServer> Observe(const StoreView& view, uint64_t refused, int64_t now_ms);

 private:
  struct Suspect {
    int64_t beat = 0;
    int64_t since_ms = 0;  // Of the first refusal at this beat.
  };

  bool IsGone(const StoredServer& server, int64_t now_ms);

  absl::flat_hash_map<uint64_t, Suspect> suspects_;  // By incarnation.
  StringMap<int64_t> trusted_;                       // By id: since when.
};

}  // namespace hubbub::chat
