#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json.hpp"

namespace hubbub::signin {

// The JSON object that `text` holds: UTF-8, nested at most 16 deep. INVALID_ARGUMENT if it is anything else,
// or if an object has two members of one name: two readers could take a different one each, so RFC 7515 (4)
// and 7519 (4) let a reader refuse it. Pure function, thread-safe.
absl::StatusOr<boost::json::object> ParseStrictObject(std::string_view text);

}  // namespace hubbub::signin
