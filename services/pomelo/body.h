#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json.hpp"

namespace hubbub::pomelo {

// JSON bodies, as messages carry them where no protobuf schema exists for their route. Pure functions,
// thread-safe.

// The object that `body` holds, which may be CESU-8 as the stock JavaScript client writes it.
// INVALID_ARGUMENT if it is not text, not JSON, not an object, nested deeper than 32 or if one of its numbers
// is too large for a double. Stock Pomelo goes on with {} then; that is the caller's choice.
absl::StatusOr<boost::json::object> ParseJsonBody(std::string_view body);

// `value` as text that every client reads: see EscapeNonBmp.
std::string JsonBody(const boost::json::value& value);

}  // namespace hubbub::pomelo
