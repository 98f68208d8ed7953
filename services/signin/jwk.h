#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/signin/key.h"

namespace hubbub::signin {

// Keys as an issuer publishes them.
struct KeySet {
  std::vector<Key> keys;
  // What was passed over, and why: keys for other purposes or of kinds that this server does not know.
  std::vector<std::string> skipped;
};

// The keys of a JWK set, or of one JWK (RFC 7517). INVALID_ARGUMENT if it is neither, if a key of a known
// kind is wrong, or if a public key comes with its private part. Pure function, thread-safe.
absl::StatusOr<KeySet> ParseJwks(std::string_view text);

}  // namespace hubbub::signin
