#include "services/socketio/engine_packet.h"

#include <optional>

#include "absl/strings/escaping.h"
#include "fmt/format.h"

namespace hubbub::socketio {
namespace {

// Between two packets of a payload of protocol 4.
constexpr char kSeparator = '\x1e';

// So many digits say the length of any payload that a server takes.
constexpr size_t kMostDigits = 9;

absl::Status BadEngine(std::string_view what) {
  return absl::InvalidArgumentError(std::string(what));
}

absl::StatusOr<EnginePacket> DecodeBase64(EngineVersion version, std::string_view text) {
  EnginePacket packet{.type = EngineType::kMessage, .binary = true, .data = {}};
  // Protocol 3 says the type there too.
  if (version == EngineVersion::k3) {
    const auto type = TypeOf(text);
    if (!type.ok()) return type.status();
    packet.type = *type;
    text.remove_prefix(1);
  }
  if (!absl::Base64Unescape({text.data(), text.size()}, &packet.data))
    return BadEngine("a packet that begins with 'b' is not base64");
  return packet;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// How many bytes at the front of `text` have so many UTF-16 code units; nothing if it has fewer, or if they
// end in the middle of a character.
std::optional<size_t> BytesOfUnits(std::string_view text, size_t units) {
  size_t at = 0;
  while (units > 0 && at < text.size()) {
    const size_t wide = static_cast<unsigned char>(text[at]) >= 0xf0 ? 2 : 1;
    if (wide > units) return std::nullopt;
    units -= wide;
    ++at;
    while (at < text.size() && IsContinuation(text[at])) ++at;
  }
  if (units > 0) return std::nullopt;
  return at;
}

// `<length>:<packet>` again and again.
absl::StatusOr<std::vector<EnginePacket>> DecodeLengths(std::string_view body) {
  std::vector<EnginePacket> packets;
  while (!body.empty()) {
    size_t length = 0;
    size_t digits = 0;
    while (digits < body.size() && body[digits] >= '0' && body[digits] <= '9' && digits < kMostDigits)
      length = length * 10 + static_cast<size_t>(body[digits++] - '0');
    if (digits == 0 || digits == body.size() || body[digits] != ':')
      return BadEngine("a packet of a payload has no length before it");
    body.remove_prefix(digits + 1);
    const std::optional<size_t> bytes = BytesOfUnits(body, length);
    if (!bytes) return BadEngine("a payload ends before its last packet does");
    if (packets.size() == kMostPackets) return BadEngine("a payload has too many packets");
    auto packet = DecodeText(EngineVersion::k3, body.substr(0, *bytes));
    if (!packet.ok()) return packet.status();
    packets.push_back(*std::move(packet));
    body.remove_prefix(*bytes);
  }
  return packets;
}

// For each packet a byte, 0 for text and 1 for bytes, then the digits of its length, a byte each, then 255.
absl::StatusOr<std::vector<EnginePacket>> DecodeOctets(std::string_view body) {
  std::vector<EnginePacket> packets;
  while (!body.empty()) {
    const auto kind = static_cast<unsigned char>(body.front());
    body.remove_prefix(1);
    if (kind > 1) return BadEngine("a packet of a binary payload is neither text nor bytes");
    size_t length = 0;
    size_t digits = 0;
    while (digits < body.size() && static_cast<unsigned char>(body[digits]) <= 9 && digits < kMostDigits)
      length = length * 10 + static_cast<size_t>(body[digits++]);
    if (digits == 0 || digits == body.size() || static_cast<unsigned char>(body[digits]) != 0xff)
      return BadEngine("a packet of a binary payload has no length before it");
    body.remove_prefix(digits + 1);
    if (length > body.size()) return BadEngine("a binary payload ends before its last packet does");
    if (packets.size() == kMostPackets) return BadEngine("a payload has too many packets");
    const std::string_view bytes = body.substr(0, length);
    auto packet = kind == 0 ? DecodeText(EngineVersion::k3, bytes) : DecodeBytes(EngineVersion::k3, bytes);
    if (!packet.ok()) return packet.status();
    packets.push_back(*std::move(packet));
    body.remove_prefix(length);
  }
  return packets;
}

absl::StatusOr<std::vector<EnginePacket>> DecodeSeparated(std::string_view body) {
  std::vector<EnginePacket> packets;
  while (true) {
    const size_t end = body.find(kSeparator);
    if (packets.size() == kMostPackets) return BadEngine("a payload has too many packets");
    auto packet = DecodeText(EngineVersion::k4, body.substr(0, end));
    if (!packet.ok()) return packet.status();
    packets.push_back(*std::move(packet));
    if (end == std::string_view::npos) return packets;
    body.remove_prefix(end + 1);
  }
}

}  // namespace

absl::StatusOr<EngineType> TypeOf(std::string_view text) {
  if (text.empty()) return BadEngine("a packet is empty");
  if (text.front() < '0' || text.front() > DigitOf(EngineType::kNoop))
    return BadEngine("a packet begins with none of the types 0 to 6");
  return static_cast<EngineType>(text.front() - '0');
}

absl::StatusOr<EnginePacket> DecodeText(EngineVersion version, std::string_view text) {
  if (text.starts_with('b')) return DecodeBase64(version, text.substr(1));
  const auto type = TypeOf(text);
  if (!type.ok()) return type.status();
  return EnginePacket{.type = *type, .binary = false, .data = std::string(text.substr(1))};
}

absl::StatusOr<EnginePacket> DecodeBytes(EngineVersion version, std::string_view bytes) {
  EnginePacket packet{.type = EngineType::kMessage, .binary = true, .data = {}};
  if (version == EngineVersion::k3) {
    if (bytes.empty()) return BadEngine("a packet is empty");
    const auto type = static_cast<unsigned char>(bytes.front());
    if (type > static_cast<unsigned char>(EngineType::kNoop))
      return BadEngine("a packet of bytes begins with none of the types 0 to 6");
    packet.type = static_cast<EngineType>(type);
    bytes.remove_prefix(1);
  }
  packet.data = std::string(bytes);
  return packet;
}

absl::StatusOr<std::vector<EnginePacket>> DecodePayload(EngineVersion version, std::string_view body,
                                                        bool octets) {
  if (body.empty()) return BadEngine("a payload is empty");
  if (version == EngineVersion::k4) return DecodeSeparated(body);
  return octets ? DecodeOctets(body) : DecodeLengths(body);
}

void AppendToPayload(EngineVersion version, std::string_view packet, std::string& payload) {
  if (version == EngineVersion::k3) {
    fmt::format_to(std::back_inserter(payload), "{}:{}", Utf16Length(packet), packet);
    return;
  }
  if (!payload.empty()) payload += kSeparator;
  payload += packet;
}

size_t Utf16Length(std::string_view utf8) {
  size_t units = 0;
  for (const char c : utf8) {
    if (!IsContinuation(c)) units += static_cast<unsigned char>(c) >= 0xf0 ? 2 : 1;
  }
  return units;
}

}  // namespace hubbub::socketio
