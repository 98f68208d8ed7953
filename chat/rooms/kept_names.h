#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/rooms/tokens.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// Names of users who were cut off, kept for their return for a while. The name is free at once if the client
// left the room, sent a close frame, or was kicked. After every other end it is kept: for a client that knows
// its token, until the token is shown; for others, until a client comes from the same address (README).
// Bounded in number: at kMost, further ones are not kept. Times are milliseconds of the room's clock. Not
// thread-safe: the room's lock guards it.
class KeptNames {
 public:
  static constexpr size_t kMost = 65'536;

  struct Kept {
    uint64_t token =
        0;  // TokenHash of the place that had the name: a client that shows the token gets it at once.
    uint64_t address = 0;  // A client from this address gets it too. 0: none does.
    int64_t until_ms = 0;
  };
  struct Entry {
    std::string user;
    Kept kept;
  };

  void Insert(std::string_view user, const Kept& kept, int64_t now_ms);
  // How many milliseconds a client that shows these has to wait for the name; 0: none.
  int64_t WaitFor(std::string_view user, const ShownTokens& tokens, uint64_t address, int64_t now_ms) const;
  void Erase(std::string_view user);
  void Expire(int64_t now_ms);
  std::vector<Entry> Entries() const;

  bool empty() const { return by_user_ == nullptr; }

 private:
  std::unique_ptr<StringMap<Kept>> by_user_;  // Null while there are none, as in most rooms.
};

}  // namespace hubbub::chat
