#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json.hpp"

namespace hubbub::pomelo {

// JSON bodies, as messages carry them where no protobuf schema exists for their route. Pure functions,
// thread-safe.

// The object that `body` holds, which may be CESU-8 as the stock JavaScript client writes it, and may have a
// byte order mark. Half of a surrogate pair, escaped or as bytes, becomes U+FFFD: RFC 8259 allows it, and
// clients write it where they cut a text in the middle of an emoji. Integers of up to 64 bits are exact.
// INVALID_ARGUMENT if it is not text, not JSON, not an object, nested deeper than 32, with more than 4,096
// values or with a number that is too large for a double. Stock Pomelo goes on with {} then; that is the
// caller's choice.
absl::StatusOr<boost::json::object> ParseJsonBody(std::string_view body);

// True if all that is before the first '{' may stand before a JSON object: white space, a byte order mark.
bool BeginsLikeObject(std::string_view body);

// `value` as text that every client reads: see EscapeNonBmp.
std::string JsonBody(const boost::json::value& value);

}  // namespace hubbub::pomelo
