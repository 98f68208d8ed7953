#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "services/base/stable_hash.h"

namespace hubbub::chat {

// A token's hash, kept where the token itself is not needed; 0 for no token. Servers tell it to servers and
// to no client, so no client can look for a token of the same hash.
inline uint64_t TokenHash(std::string_view token) {
  if (token.empty()) return 0;
  const uint64_t hash = StableHash(token);
  return hash == 0 ? 1 : hash;
}

// True if neither is empty and they are the same. Takes as long for a wrong token as for the right one, so
// that the time of an answer does not help to guess it.
inline bool SameToken(std::string_view a, std::string_view b) {
  if (a.empty() || a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

// The hashes of the two tokens that a client shows when it comes: that of an earlier session, and its own.
// 0: no token.
struct ShownTokens {
  uint64_t resume = 0;
  uint64_t own = 0;

  ShownTokens(std::string_view resume_token, std::string_view own_token)
      : resume(TokenHash(resume_token)), own(TokenHash(own_token)) {}
  bool Fit(uint64_t hash) const { return hash != 0 && (hash == resume || hash == own); }
};

}  // namespace hubbub::chat
