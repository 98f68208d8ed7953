#include "chat/rooms/place.h"

#include <algorithm>

#include "chat/rooms/tokens.h"

namespace hubbub::chat {

int64_t KeptFor(int64_t wait_ms, int64_t grace_ms) {
  return wait_ms == 0 ? grace_ms : std::min(wait_ms, grace_ms);
}

int64_t WaitFor(const Place& left, const Place& newcomer, int64_t grace_ms) {
  if (left.wait_ms != 0 && left.address != 0 && left.address == newcomer.address) return 0;
  const auto unheard = left.subscriber->unheard_for();
  const int64_t wait_ms = KeptFor(left.wait_ms, grace_ms) - (unheard ? unheard->count() : 0);
  return std::max<int64_t>(wait_ms, left.wait_ms == 0 ? 1 : 0);
}

std::vector<uint64_t> TokenHashes(const std::vector<Place>& places) {
  constexpr size_t kMost = 64;
  std::vector<uint64_t> hashes;
  for (auto p = places.rbegin(); p != places.rend() && hashes.size() < kMost; ++p) {
    const uint64_t hash = TokenHash(p->token);
    if (hash != 0 && std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace hubbub::chat
