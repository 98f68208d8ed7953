#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hubbub {

// JSON as every client reads it: stock clients garble characters of four bytes (services/pomelo/README.md,
// trap 1), so these are escaped. Pure functions, thread-safe.

// Valid JSON text with each four-byte character as a \uXXXX\uXXXX pair.
std::string EscapeNonBmp(std::string json);

// Appends `text` as a JSON string in its quotes, with the bytes that Boost.JSON's serializer and EscapeNonBmp
// have for it. Bytes that are no UTF-8 stay as they are.
void AppendJsonString(std::string_view text, std::string& out);

// The size of `utf8` as the inside of a JSON string after EscapeNonBmp.
size_t JsonSize(std::string_view utf8);

}  // namespace hubbub
