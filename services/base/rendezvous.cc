#include "services/base/rendezvous.h"

#include "services/base/stable_hash.h"

namespace hubbub {

uint64_t RendezvousScore(std::string_view key, std::string_view server_id) {
  // Each hash is finalised on its own; one more round of mixing makes the pair as random as its parts.
  uint64_t h = StableHash(key) ^ (StableHash(server_id) * 0x9e3779b97f4a7c15u);
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  return h ^ (h >> 32);
}

}  // namespace hubbub
