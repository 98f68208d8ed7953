#pragma once

#include <cstdint>
#include <string_view>

#include "services/stable_hash.h"

namespace hubbub::chat {

// What is remembered of a place's token where the token itself need not be; 0 for none. It goes from server
// to server and to no client, so nobody who would like to show a token of the same hash knows what to look
// for.
inline uint64_t TokenHash(std::string_view token) {
  if (token.empty()) return 0;
  const uint64_t hash = StableHash(token);
  return hash == 0 ? 1 : hash;
}

// Two tokens by their hashes: whoever comes shows one of an earlier session, and has one of its own. One that
// is 0 is none.
struct ShownTokens {
  uint64_t resume = 0;
  uint64_t own = 0;

  ShownTokens(std::string_view resume_token, std::string_view own_token)
      : resume(TokenHash(resume_token)), own(TokenHash(own_token)) {}
  bool Fit(uint64_t hash) const { return hash != 0 && (hash == resume || hash == own); }
};

}  // namespace hubbub::chat
