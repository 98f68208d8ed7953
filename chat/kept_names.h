#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/tokens.h"
#include "services/string_map.h"

namespace hubbub::chat {

// Names of users who were cut off, kept for their return: nobody else has them for a while. An end is clean,
// and the name free, if the client left the room, sent a close frame, or was thrown out; every other end
// keeps it, for a client that knows its token for who shows that, for others for who comes from their address
// (README). Bounded in number: at kMost, further ones are not kept. Times are milliseconds of the room's
// clock. Not thread-safe: the room's lock guards it.
class KeptNames {
 public:
  static constexpr size_t kMost = 65'536;

  struct Kept {
    uint64_t token = 0;    // TokenHash of the place that had the name: whoever shows it has it at once.
    uint64_t address = 0;  // Whoever comes from here, too. 0: nobody does.
    int64_t until_ms = 0;
  };
  struct Entry {
    std::string user;
    Kept kept;
  };

  void Insert(std::string_view user, const Kept& kept, int64_t now_ms);
  // So many milliseconds from now the name is to be had by whoever shows these; 0: now.
  int64_t WaitFor(std::string_view user, const ShownTokens& tokens, uint64_t address, int64_t now_ms) const;
  void Erase(std::string_view user);
  void Expire(int64_t now_ms);
  std::vector<Entry> Entries() const;

  bool empty() const { return by_user_ == nullptr; }

 private:
  std::unique_ptr<StringMap<Kept>> by_user_;  // Null while there are none, as in most rooms.
};

}  // namespace hubbub::chat
