#include "chat/connectors/page_token.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/base/stable_hash.h"

namespace hubbub::chat {
namespace {

constexpr size_t kCheckDigits = 16;

// Of a digit; of anything else something that makes another token.
unsigned ValueOf(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a' + 10);
  return 0;
}

}  // namespace

// The name in hexadecimal digits, after the check.
std::string PageTokenAfter(std::string_view server, std::string_view last_room) {
  // No name has a line feed, so the text that is hashed reads one way only.
  std::string token = fmt::format("{:016x}", StableHash(fmt::format("rooms of {}\n{}", server, last_room)));
  for (const char c : last_room) token += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return token;
}

absl::StatusOr<std::string> RoomOfPageToken(std::string_view server, std::string_view token) {
  if (token.empty()) return std::string();
  std::string room;
  if (token.size() > kCheckDigits && token.size() % 2 == 0) {
    for (size_t i = kCheckDigits; i < token.size(); i += 2)
      room += static_cast<char>((ValueOf(token[i]) << 4U) | ValueOf(token[i + 1]));
    // A character that is no digit was decoded as one; this check finds it.
    if (PageTokenAfter(server, room) == token) return room;
  }
  return absl::InvalidArgumentError(fmt::format(
      "page_token is none that chat server \"{}\" has given: give the next_page_token of the page "
      "before as it came, or leave it empty for the first page",
      server));
}

}  // namespace hubbub::chat
