#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::socketio {

// Packets of Socket.IO, as the messages of Engine.IO carry them, by the documents of its protocols 4 and 5:
// <type>[<attachments>-][<namespace>,][<acknowledgement id>][<JSON>]. Pure functions, thread-safe. Views
// point into the text.

enum class PacketType : uint8_t {
  kConnect,
  kDisconnect,
  kEvent,
  kAck,
  kConnectError,  // Protocol 4 calls it ERROR.
  kBinaryEvent,
  kBinaryAck,
};

struct Packet {
  PacketType type = PacketType::kEvent;
  size_t attachments = 0;  // Binary messages that follow.
  std::string_view nsp = "/";
  std::string_view query;  // Behind a '?' in the namespace, as clients of protocol 4 write it.
  std::optional<std::string_view> id = std::nullopt;  // Digits.
  std::string_view data;                              // JSON, or nothing.
};

// More attachments than a packet may have.
inline constexpr size_t kMostAttachments = 16;
// 2^53, beyond which JavaScript counts no further, has as many digits.
inline constexpr size_t kMostIdDigits = 16;
inline constexpr size_t kMostNamespaceBytes = 256;

// INVALID_ARGUMENT says what is wrong. What the data of a type has to begin with is checked, and no more.
absl::StatusOr<Packet> DecodePacket(std::string_view text);

// Appends a packet up to its data. `nsp`: "/" is left out. `id`: digits, or nothing.
void AppendHead(PacketType type, std::string_view nsp, std::string_view id, std::string& out);

// The data of an event: a JSON array of a name and of arguments.
struct Event {
  std::string name;
  std::string_view argument;  // The first, as JSON; nothing if there is none.
  size_t arguments = 0;
};

// INVALID_ARGUMENT says what is wrong with it. Only the name is read; arguments are told apart, but may be no
// valid JSON.
absl::StatusOr<Event> ReadEvent(std::string_view data);

// The text of a JSON string. INVALID_ARGUMENT if it is none.
absl::StatusOr<std::string> ReadString(std::string_view json);

}  // namespace hubbub::socketio
