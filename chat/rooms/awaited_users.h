#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/base/string_map.h"

namespace hubbub::chat {

// Users whom clients were shown before their room was lost with its chat server, and who have not come back.
// Those whose connector was lost too never will, and nobody but the clients knows of them. Bounded in number
// and bytes; further users are not awaited. Times are milliseconds of the room's clock. Not thread-safe: the
// room's lock guards it.
class AwaitedUsers {
 public:
  static constexpr size_t kMost = 65'536;
  static constexpr size_t kMostBytes = size_t{1} << 20;

  // Awaits the user until then. The last call's time holds for all.
  void Insert(std::string_view user, int64_t until_ms);
  // True if the user was awaited, and is not any more.
  bool Erase(std::string_view user);
  // Those who did not come in time; they are not awaited any more.
  std::vector<std::string> TakeLate(int64_t now_ms);

  bool empty() const { return users_ == nullptr; }
  int64_t until_ms() const { return until_ms_; }
  std::vector<std::string> users() const;

 private:
  std::unique_ptr<StringSet> users_;  // Null while there are none, as in most rooms.
  size_t bytes_ = 0;
  int64_t until_ms_ = 0;
};

}  // namespace hubbub::chat
