#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::pomelo {

// Text on the Pomelo wire. The stock JavaScript client writes characters outside the BMP as CESU-8 (each
// surrogate as three bytes) and garbles four-byte UTF-8 when it reads (ARCHITECTURE.md, trap 1). Inside
// Hubbub all text is valid UTF-8. Pure functions, thread-safe.

// True if `text` is well-formed UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// UTF-8 from text that may hold CESU-8 surrogate pairs; well-formed UTF-8 comes back as it is. Nothing if it
// is neither, as with a lone surrogate.
std::optional<std::string> ToUtf8(std::string_view text);

// CESU-8 from valid UTF-8: each four-byte character becomes a pair of three-byte surrogates.
std::string ToCesu8(std::string_view utf8);

// Valid JSON text with each four-byte character as a \uXXXX\uXXXX pair, which every client reads.
std::string EscapeNonBmp(std::string json);

// The size of `utf8` as the inside of a JSON string after EscapeNonBmp.
size_t JsonSize(std::string_view utf8);

}  // namespace hubbub::pomelo
