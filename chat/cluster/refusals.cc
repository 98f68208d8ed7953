#include "chat/cluster/refusals.h"

#include <algorithm>

namespace hubbub::chat {

std::optional<StoredServer> Refusals::Observe(const StoreView& view, uint64_t refused, int64_t now_ms) {
  const auto found = std::find_if(view.servers.begin(), view.servers.end(),
                                  [&](const StoredServer& s) { return s.incarnation == refused; });
  if (found == view.servers.end() || found->gone || found->draining) return std::nullopt;
  if (!IsGone(*found, now_ms)) return std::nullopt;
  return *found;
}

bool Refusals::IsGone(const StoredServer& server, int64_t now_ms) {
  const auto trusted = trusted_.find(server.id);
  if (trusted != trusted_.end() && now_ms - trusted->second < kTrustMs) return false;
  const auto [suspect, is_new] = suspects_.try_emplace(server.incarnation, Suspect{server.beat, now_ms});
  if (!is_new && suspect->second.beat != server.beat) suspect->second = {server.beat, now_ms};
  if (now_ms - suspect->second.since_ms < kApartMs) return false;
  suspects_.clear();
  trusted_[server.id] = now_ms;
  return true;
}

}  // namespace hubbub::chat
