#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::bench {

// The text of a message that names itself: "~", the sender in 4 hexadecimal digits, ".", its sequence number
// in 8, ".", and a filling. A receiver finds it in a body of any format without decoding it.
inline constexpr size_t kMinTextBytes = 15;
inline constexpr int kMaxClients = 0xffff;

// REQUIRES: bytes >= kMinTextBytes, sender <= kMaxClients.
void WriteText(uint32_t sender, uint32_t number, size_t bytes, std::string& out);

struct FoundText {
  uint32_t sender = 0;
  uint32_t number = 0;
  bool whole = false;  // All its `bytes` are there, as written.
};
// Nothing if no text is in `body`.
std::optional<FoundText> FindText(std::string_view body, size_t bytes);

}  // namespace hubbub::bench
