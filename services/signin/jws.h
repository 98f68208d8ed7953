#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/signin/key.h"

namespace hubbub::signin {

// More than any issuer needs who does not put a user's whole life into a token. A longer one is refused
// before it is looked at.
inline constexpr size_t kMaxTokenBytes = size_t{8} * 1024;

// What a token in JWS compact form says (RFC 7515, 7.1), if one of `keys` has signed it. The token's `kid`,
// if it has one, says which key; its `alg` must be the key's own. Tokens that carry or name a key of their
// own (jwk, jku, x5c, x5u) are held against `keys` like all others. UNAUTHENTICATED says what is wrong. Pure
// function, thread-safe.
absl::StatusOr<std::string> OpenToken(std::string_view token, const std::vector<Key>& keys);

}  // namespace hubbub::signin
