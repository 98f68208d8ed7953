#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hubbub::socketio {

// Packets of Engine.IO, on which Socket.IO is carried, by the documents of its protocols 3 and 4: a digit for
// the type, then the data. In a WebSocket each has a message of its own; over HTTP several make a payload.
// Pure functions, thread-safe.

// The parameter EIO of a request. Clients 1 and 2 of Socket.IO speak 3, later ones 4.
enum class EngineVersion : uint8_t { k3 = 3, k4 = 4 };

enum class EngineType : uint8_t { kOpen, kClose, kPing, kPong, kMessage, kUpgrade, kNoop };

struct EnginePacket {
  EngineType type = EngineType::kNoop;
  bool binary = false;  // A message of bytes.
  std::string data;

  bool operator==(const EnginePacket&) const = default;
};

// A payload with more packets is refused: each takes more memory than text, of which a payload may have much.
inline constexpr size_t kMostPackets = 4096;

// The packet that a text message of a WebSocket, or a part of a payload, holds. INVALID_ARGUMENT says what is
// wrong with it.
absl::StatusOr<EnginePacket> DecodeText(EngineVersion version, std::string_view text);
// The packet that a binary message of a WebSocket holds.
absl::StatusOr<EnginePacket> DecodeBytes(EngineVersion version, std::string_view bytes);

// The type of a text message, whose data is what follows its first byte: DecodeText without a copy.
// INVALID_ARGUMENT if there is none.
absl::StatusOr<EngineType> TypeOf(std::string_view text);
inline char DigitOf(EngineType type) {
  return static_cast<char>('0' + static_cast<int>(type));
}

// The packets of a payload. `octets`: the body is of protocol 3's binary form (application/octet-stream).
// INVALID_ARGUMENT says what is wrong with it.
absl::StatusOr<std::vector<EnginePacket>> DecodePayload(EngineVersion version, std::string_view body,
                                                        bool octets);

// Appends a packet as text behind what a payload has already.
void AppendToPayload(EngineVersion version, std::string_view packet, std::string& payload);

// How many UTF-16 code units UTF-8 text has: what JavaScript, and so protocol 3, takes for its length.
size_t Utf16Length(std::string_view utf8);

}  // namespace hubbub::socketio
