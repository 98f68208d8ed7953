#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace hubbub {

inline constexpr size_t kMaxNameBytes = 64;
inline constexpr size_t kMaxContentBytes = size_t{32} * 1024;
// When it is written to a client as JSON, where a character may take six bytes or more. The stock JavaScript
// client fails on bodies of about 125 KB and more (services/pomelo/README.md, trap 2); the other fields fit
// into the rest. All text of 32 KiB does, unless it is full of control characters.
inline constexpr size_t kMaxJsonContentBytes = size_t{112} * 1024;
// What a back end may push to clients, as JSON.
inline constexpr size_t kMaxPushBodyBytes = size_t{60} * 1024;
// The largest message that a client may need for content that is allowed: as JSON, with each of its bytes
// written as \u00XX, six for one, and all the rest of the request.
inline constexpr size_t kMaxRequestBytes = 6 * kMaxContentBytes + size_t{16} * 1024;

// OK if `name` can name a user or a room: 1 to 64 bytes of valid UTF-8, with characters as NameFault has
// them. `field` is what the error calls it. INVALID_ARGUMENT otherwise, with the field and the reason.
absl::Status CheckName(std::string_view field, std::string_view name);

// OK if `content` can be a message: valid UTF-8, at most kMaxContentBytes, and at most kMaxJsonContentBytes
// when written as a JSON string with escapes.
absl::Status CheckContent(std::string_view content);

}  // namespace hubbub
