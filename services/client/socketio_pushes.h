#pragma once

#include <array>
#include <string_view>

#include "services/client/push_encoding.h"

namespace hubbub::client {

// How a client speaks on Socket.IO: as an ordinary application in one of the namespaces, or as Pomelo's own
// client does.
enum class SocketIoWay { kMain, kChat, kPomelo };
inline constexpr std::array kSocketIoWays = {SocketIoWay::kMain, SocketIoWay::kChat, SocketIoWay::kPomelo};

inline constexpr std::string_view kMainNamespace = "/";
inline constexpr std::string_view kChatNamespace = "/chat";
constexpr std::string_view NamespaceOf(SocketIoWay way) {
  return way == SocketIoWay::kChat ? kChatNamespace : kMainNamespace;
}

// The encodings of pushes to clients of Socket.IO, one for each way, and for the ways of applications one
// more in which an event of a room is followed by its position, as clients want it that may have their state
// recovered (services/socketio/recovery.h). Both protocols that are spoken, 4 and 5, write events alike. They
// are in frames of text, which a session that is polled takes apart. Immutable, so thread-safe. Owned beside
// the PushEncodings, and refers to them.
class SocketIoPushes {
 public:
  // Adds them to `encodings`.
  explicit SocketIoPushes(PushEncodings& encodings);

  const PushEncoding& Of(SocketIoWay way) const { return *groups_[static_cast<size_t>(way)]->front(); }
  // REQUIRES: not kPomelo.
  const PushEncoding& WithPositions(SocketIoWay way) const {
    return *with_positions_[static_cast<size_t>(way)]->front();
  }

 private:
  std::array<const PushEncodings::Group*, kSocketIoWays.size()> groups_;  // By SocketIoWay.
  std::array<const PushEncodings::Group*, 2> with_positions_;             // By SocketIoWay.
};

}  // namespace hubbub::client
