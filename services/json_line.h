#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hubbub {

// The keys and indices that lead from a JSON text's root to one of its values.
using JsonPath = std::vector<std::variant<std::string, size_t>>;

// The 1-based line on which that value starts, for messages about it: a JSON library keeps no places. Of a
// key that stands twice the last one counts, as in the library. `json` must have been parsed without error;
// where the path leads nowhere, the answer is the line of the last value that it reached. A pure function.
size_t JsonLine(std::string_view json, const JsonPath& path);

}  // namespace hubbub
