#pragma once

#include <string>
#include <vector>

#include "fmt/format.h"

namespace hubbub::chat {

// Numbers as a statement's one parameter, for json_each.
inline std::string JsonNumbers(const std::vector<int>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

}  // namespace hubbub::chat
