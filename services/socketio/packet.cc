#include "services/socketio/packet.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "fmt/format.h"

namespace hubbub::socketio {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpace = " \t\r\n";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

absl::Status BadPacket(std::string_view what) {
  return absl::InvalidArgumentError(std::string(what));
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The digits at the front.
std::string_view DigitsOf(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  return text.substr(0, size);
}

absl::Status TakeAttachments(std::string_view& text, Packet& packet) {
  const std::string_view digits = DigitsOf(text);
  if (digits.empty() || digits.size() == text.size() || text[digits.size()] != '-')
    return BadPacket("a binary packet does not say how many attachments follow");
  for (const char digit : digits) {
    packet.attachments = packet.attachments * 10 + static_cast<size_t>(digit - '0');
    if (packet.attachments > kMostAttachments)
      return absl::InvalidArgumentError(
          fmt::format("a binary packet has more than {} attachments", kMostAttachments));
  }
  text.remove_prefix(digits.size() + 1);
  return absl::OkStatus();
}

absl::Status TakeNamespace(std::string_view& text, Packet& packet) {
  if (!text.starts_with('/')) return absl::OkStatus();
  const size_t end = std::min(text.find(','), text.size());
  packet.nsp = text.substr(0, end);
  if (packet.nsp.size() > kMostNamespaceBytes)
    return absl::InvalidArgumentError(fmt::format("a namespace has more than {} bytes", kMostNamespaceBytes));
  text.remove_prefix(std::min(end + 1, text.size()));
  if (const size_t query = packet.nsp.find('?'); query != std::string_view::npos) {
    packet.query = packet.nsp.substr(query + 1);
    packet.nsp = packet.nsp.substr(0, query);
  }
  return absl::OkStatus();
}

// As the protocols' own parsers check it.
absl::Status CheckData(const Packet& packet) {
  const char first = packet.data.empty() ? '\0' : packet.data.front();
  switch (packet.type) {
    case PacketType::kConnect:
      if (packet.id) return BadPacket("a CONNECT packet has an id");
      if (first != '\0' && first != '{') return BadPacket("the data of a CONNECT packet is no object");
      break;
    case PacketType::kDisconnect:
      if (first != '\0' || packet.id) return BadPacket("a DISCONNECT packet has data");
      break;
    case PacketType::kEvent:
    case PacketType::kBinaryEvent:
      if (first != '[') return BadPacket("the data of an EVENT packet is no array");
      break;
    case PacketType::kAck:
    case PacketType::kBinaryAck:
      if (first != '[') return BadPacket("the data of an ACK packet is no array");
      if (!packet.id) return BadPacket("an ACK packet has no id");
      break;
    case PacketType::kConnectError:
      break;
  }
  return absl::OkStatus();
}

// Where the JSON value at the front of `text` ends: at a comma or a closing bracket outside of it, or at the
// end of the text.
size_t EndOfValue(std::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth == 0) return i;
      --depth;
    } else if (c == ',' && depth == 0) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

absl::StatusOr<Packet> DecodePacket(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6')
    return BadPacket("a packet of Socket.IO begins with none of the types 0 to 6");
  Packet packet;
  packet.type = static_cast<PacketType>(text.front() - '0');
  text.remove_prefix(1);
  if (packet.type == PacketType::kBinaryEvent || packet.type == PacketType::kBinaryAck) {
    if (absl::Status status = TakeAttachments(text, packet); !status.ok()) return status;
  }
  if (absl::Status status = TakeNamespace(text, packet); !status.ok()) return status;
  if (const std::string_view id = DigitsOf(text); !id.empty()) {
    if (id.size() > kMostIdDigits)
      return absl::InvalidArgumentError(fmt::format("an id has more than {} digits", kMostIdDigits));
    packet.id = id;
    text.remove_prefix(id.size());
  }
  packet.data = Trim(text);
  if (absl::Status status = CheckData(packet); !status.ok()) return status;
  return packet;
}

void AppendHead(PacketType type, std::string_view nsp, std::string_view id, std::string& out) {
  out += static_cast<char>('0' + static_cast<int>(type));
  if (nsp != "/") out.append(nsp) += ',';
  out += id;
}

absl::StatusOr<Event> ReadEvent(std::string_view data) {
  data = Trim(data);
  if (!data.starts_with('[') || !data.ends_with(']') || data.size() < 2)
    return BadPacket("the data of an EVENT packet is no array");
  data = data.substr(1, data.size() - 2);
  Event event;
  bool has_name = false;
  while (true) {
    const size_t end = EndOfValue(data);
    const std::string_view value = Trim(data.substr(0, end));
    if (value.empty()) return BadPacket("an event has an empty value");
    if (end < data.size() && data[end] != ',') return BadPacket("an event has a bracket that opens nowhere");
    if (!has_name) {
      auto name = ReadString(value);
      if (!name.ok()) return BadPacket("the name of an event is no string");
      event.name = *std::move(name);
      has_name = true;
    } else if (event.arguments++ == 0) {
      event.argument = value;
    }
    if (end == data.size()) return event;
    data.remove_prefix(end + 1);
  }
}

absl::StatusOr<std::string> ReadString(std::string_view text) {
  if (!text.starts_with('"')) return BadPacket("this is no JSON string");
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_string()) return BadPacket("this is no JSON string");
  return std::string(value.get_string());
}

}  // namespace hubbub::socketio
