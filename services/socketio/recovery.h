#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hubbub::socketio {

// What Socket.IO's connection state recovery has on the wire: the `pid` that the answer to CONNECT carries,
// and the `offset`, the text that is the last argument of an event. A client that comes back shows both in
// its CONNECT packet. Pure functions, thread-safe.

// A pid is the id of the socket and a token, both in hexadecimal digits. The token, 128 bits that nobody can
// guess, is what proves that the state is the client's own; every client knows the id.
std::string NewPid();
// Another one with the same token. REQUIRES: `token` has the form of one.
std::string NewPid(std::string_view token);
// The two parts. Views into `pid`; nothing if it is none.
struct PidParts {
  std::string_view id;
  std::string_view token;
};
std::optional<PidParts> PartsOf(std::string_view pid);

// How far a client has seen a room.
struct RoomPosition {
  std::string room;
  uint64_t epoch = 0;
  uint64_t offset = 0;

  bool operator==(const RoomPosition&) const = default;
};

// An offset is the positions of all rooms that the client is in: "<epoch> <offset> <room>" for each, with
// line feeds between them, which no room's name has.
inline constexpr size_t kMostPositions = 16;
// The offset of a client whose state cannot be told so.
inline constexpr std::string_view kNoPositions = "-";

void AppendPosition(std::string_view room, uint64_t epoch, uint64_t offset, std::string& out);
// Nothing if it is no offset of 1 to kMostPositions different rooms. Names of rooms are not checked.
std::optional<std::vector<RoomPosition>> DecodePositions(std::string_view offset);

}  // namespace hubbub::socketio
