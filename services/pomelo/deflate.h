#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::pomelo {

// Compression as Pitaya's dialect has it, by zlib. Pure functions, thread-safe.

// Shorter texts are not worth the time: a JSON body of this size loses little, and a text of chat is mostly
// shorter.
inline constexpr size_t kMinDeflateBytes = 256;

// `bytes` as a zlib stream; nothing if `bytes` has fewer than kMinDeflateBytes or the stream would not be
// smaller. The stream begins with 78 9C: Pitaya's clients recognise a compressed handshake by its first two
// bytes (libpitaya's pr_gzip.c, Pitaya's util/compression).
std::optional<std::string> DeflateIfSmaller(std::string_view bytes);

// What the zlib or gzip stream `bytes` holds; its first bytes tell which of the two it is. Pitaya's server
// takes zlib alone, libpitaya takes both. INVALID_ARGUMENT if it is neither, is damaged, ends too early, has
// bytes behind its end (a second gzip member is such), or needs a dictionary; OUT_OF_RANGE if it holds more
// than `max_bytes`. Stops there: it allocates max_bytes at most, and 50 KB for zlib itself. `made`, if it is
// not null, gets the number of bytes that were inflated, also before an error.
absl::StatusOr<std::string> Inflate(std::string_view bytes, size_t max_bytes, size_t* made = nullptr);

}  // namespace hubbub::pomelo
