#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hubbub::signin {

// The bytes that `text` stands for in base64url without padding, as JOSE writes it (RFC 7515, 2); nothing if
// it is anything else. Strict: there is one text for each value. Pure function, thread-safe.
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace hubbub::signin
