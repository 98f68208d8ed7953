#pragma once

#include <cstdint>
#include <string_view>

namespace hubbub {

// Rendezvous (highest random weight) hashing: each key goes to the server with the greatest score for it, so
// that a server that comes or goes moves its own 1/n of the keys and no other. The same in every process,
// build and platform; golden values stand in the test.
uint64_t RendezvousScore(std::string_view key, std::string_view server_id);

// The element of `servers` (with a member `id`) that has the greatest score for `key`; equal scores go to the
// smaller id. Null if there are none. `usable(server)` false passes a server over.
template <typename Servers, typename Usable>
auto RendezvousPick(const Servers& servers, std::string_view key, Usable usable)
    -> decltype(&*servers.begin()) {
  decltype(&*servers.begin()) best = nullptr;
  uint64_t best_score = 0;
  for (const auto& server : servers) {
    if (!usable(server)) continue;
    const uint64_t score = RendezvousScore(key, server.id);
    if (best == nullptr || score > best_score || (score == best_score && server.id < best->id)) {
      best = &server;
      best_score = score;
    }
  }
  return best;
}

}  // namespace hubbub
