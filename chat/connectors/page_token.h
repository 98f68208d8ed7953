#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::chat {

// Where a list of the rooms of one chat server goes on: after `last_room`. For callers it is an opaque text;
// it holds a check, so that a text which this server has not made is recognised. It holds no secret.
std::string PageTokenAfter(std::string_view server, std::string_view last_room);

// The room that a token of this server goes on after. INVALID_ARGUMENT for every other text, but for the
// empty one, which means the beginning.
absl::StatusOr<std::string> RoomOfPageToken(std::string_view server, std::string_view token);

}  // namespace hubbub::chat
