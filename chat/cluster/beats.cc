#include "chat/cluster/beats.h"

#include <utility>

namespace hubbub::chat {

std::vector<StoredServer> Beats::Observe(const StoreView& view, uint64_t self, int64_t now_ms) {
  const bool gap = now_ms - observed_ms_ > kLongestGapMs;
  observed_ms_ = now_ms;
  std::vector<StoredServer> gone;
  absl::flat_hash_map<uint64_t, Beat> beats;
  for (const StoredServer& server : view.servers) {
    if (server.gone || server.incarnation == self) continue;
    Beat beat{.beat = server.beat, .since_ms = now_ms};
    const auto known = beats_.find(server.incarnation);
    if (!gap && known != beats_.end() && known->second.beat == server.beat) beat = known->second;
    if (now_ms - beat.since_ms >= kGoneMs) gone.push_back(server);
    beats.emplace(server.incarnation, beat);
  }
  beats_ = std::move(beats);
  return gone;
}

}  // namespace hubbub::chat
