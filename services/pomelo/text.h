#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::pomelo {

// Text on the Pomelo wire. The stock JavaScript client writes characters outside the BMP as CESU-8 (each
// surrogate as three bytes) and garbles four-byte UTF-8 when it reads (services/pomelo/README.md, trap 1).
// Inside Hubbub all text is valid UTF-8. Pure functions, thread-safe.

// UTF-8 from text that may hold CESU-8 surrogates; well-formed UTF-8 comes back as it is. A surrogate without
// the other half of its pair, as clients write it that cut a text in the middle of an emoji, becomes U+FFFD.
// Nothing if the text is neither UTF-8 nor CESU-8.
std::optional<std::string> ToUtf8(std::string_view text);

// CESU-8 from valid UTF-8: each four-byte character becomes a pair of three-byte surrogates.
std::string ToCesu8(std::string_view utf8);

// Where in JSON text, at or after `from`, the \uXXXX escape of a surrogate begins that lacks the other half
// of its pair; the text's size if nowhere. Parsers refuse it, though RFC 8259's grammar has it. `from` is not
// in the middle of an escape.
size_t FindLoneEscape(std::string_view json, size_t from);

}  // namespace hubbub::pomelo
