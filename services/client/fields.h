#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json.hpp"

namespace hubbub::client {

// How gate and connector read the fields of a client's request. Pure functions, thread-safe.

// A field that must be text. A number is taken as its decimal text, for many games number their users and
// rooms, and stock Pomelo takes that. INVALID_ARGUMENT names the field if it is missing or of another type.
absl::StatusOr<std::string> TextField(const boost::json::object& body, std::string_view field);

// The client says something in this field. Null is nothing, for many programs write it where they have
// nothing to say.
bool HasField(const boost::json::object& body, std::string_view field);

// A field that is a whole number from 0 to 2^53, however JSON or a double says it; nothing if it is not.
std::optional<uint64_t> WholeNumberField(const boost::json::object& body, std::string_view field);

// A number as JavaScript's String(number) writes it, so that a client that compares a name with its own
// number finds them equal; but an integer of up to 64 bits keeps all its digits. REQUIRES:
// number.is_number(), and it is finite.
std::string NumberText(const boost::json::value& number);

}  // namespace hubbub::client
