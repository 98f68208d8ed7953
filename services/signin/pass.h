#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::signin {

// Clocks differ: a token is taken for so long before its `nbf` and after its `exp`.
inline constexpr int64_t kLeewaySeconds = 10;

// What a sign-in token says of its holder. A value: thread-compatible.
struct Pass {
  std::string user;
  int64_t ends_ms = 0;  // Since 1970; the leeway is in it.
  // Those that the holder may enter: a name, or the beginning of names with '*' behind it. Nothing: all.
  std::optional<std::vector<std::string>> rooms = std::nullopt;
  bool may_read = true;  // To enter rooms, and so to get what is said there.
  bool may_speak = true;

  bool Names(std::string_view room) const;
};

// What a server demands of the claims of a token.
struct PassRules {
  std::string audience = {};  // Empty: a token must name none.
  std::string issuer = {};    // Empty: any.
};

// The pass that a token's claims make (RFC 7519, 4.1): `sub` is the user, and `exp` is not optional here.
// `hubbub_rooms` and `hubbub_rights` narrow what the holder may do. UNAUTHENTICATED says what is wrong. Pure
// function, thread-safe.
absl::StatusOr<Pass> ReadPass(std::string_view claims, const PassRules& rules, int64_t now_ms);

}  // namespace hubbub::signin
