#pragma once

#include <string>
#include <string_view>

namespace hubbub::chat {

// The key of a user's send by its id. Names and ids hold no control characters, so the pair reads one way
// only.
inline std::string SendKey(std::string_view from, std::string_view id) {
  std::string key;
  key.reserve(from.size() + 1 + id.size());
  key.append(from).append(1, '\n').append(id);
  return key;
}

}  // namespace hubbub::chat
