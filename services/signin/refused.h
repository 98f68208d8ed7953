#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::signin {

// What a token's holder is told: UNAUTHENTICATED, a sentence that goes on with `why`.
inline absl::Status Refused(std::string_view why) {
  return absl::UnauthenticatedError(fmt::format("the sign-in token {}", why));
}

}  // namespace hubbub::signin
