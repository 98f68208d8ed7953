#include "services/socketio/pomelo_text.h"

#include <optional>

#include "absl/status/status.h"

namespace hubbub::socketio {
namespace {

constexpr int kIdCharacters = 4;

// Takes a character of at most U+00FF from the front: those of one or two bytes of UTF-8.
std::optional<uint8_t> TakeByte(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  if ((first != 0xc2 && first != 0xc3) || text.size() < 2) return std::nullopt;
  const auto second = static_cast<unsigned char>(text[1]);
  if ((second & 0xc0) != 0x80) return std::nullopt;
  text.remove_prefix(2);
  return static_cast<uint8_t>((first & 3) << 6 | (second & 0x3f));
}

void AppendByte(uint8_t byte, std::string& out) {
  if (byte >= 0x80) {
    out += static_cast<char>(0xc0 | byte >> 6);
    byte = 0x80 | (byte & 0x3f);
  }
  out += static_cast<char>(byte);
}

// How many bytes so many characters have; nothing if there are fewer. A route has no characters that
// JavaScript counts twice.
std::optional<size_t> BytesOf(std::string_view text, size_t characters) {
  size_t at = 0;
  while (characters > 0 && at < text.size()) {
    --characters;
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  }
  if (characters > 0) return std::nullopt;
  return at;
}

}  // namespace

absl::StatusOr<PomeloText> DecodePomeloText(std::string_view utf8) {
  PomeloText request;
  for (int i = 0; i < kIdCharacters; ++i) {
    const auto byte = TakeByte(utf8);
    if (!byte) return absl::InvalidArgumentError("a message of Pomelo has no id of four characters");
    request.id = request.id << 8 | *byte;
  }
  const auto length = TakeByte(utf8);
  if (!length) return absl::InvalidArgumentError("a message of Pomelo has no length of its route");
  const auto bytes = BytesOf(utf8, *length);
  if (!bytes) return absl::InvalidArgumentError("a message of Pomelo ends before its route does");
  request.route = utf8.substr(0, *bytes);
  request.body = utf8.substr(*bytes);
  return request;
}

std::string EncodePomeloText(const PomeloText& request) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) AppendByte(static_cast<uint8_t>(request.id >> shift), out);
  AppendByte(static_cast<uint8_t>(request.route.size()), out);
  return out.append(request.route).append(request.body);
}

}  // namespace hubbub::socketio
