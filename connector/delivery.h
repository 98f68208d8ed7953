#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/chat/v1/chat.pb.h"
#include "services/net/connection.h"
#include "services/session/wire_kind.h"

namespace hubbub::connector {

// What the sessions of one room get in one go: one event, or several messages to everybody in a row. Encoded
// once for each kind of wire in use; the bytes are shared by all sessions. Immutable once shared between
// loops.
struct Delivery {
  enum class Kind {
    kMessages,  // To everybody; the only kind that may hold several events.
    kTargeted,  // To `user` alone.
    kJoined,    // To everybody but `user`.
    kLeft,      // To everybody; `user`'s own sessions here have lost their place.
    kReplaced,  // To nobody: `session` has lost its place.
    kMoved,     // To nobody: the room has gone from chat server `source` to `server`.
  };

  Kind kind = Kind::kMessages;
  std::string room;
  uint64_t epoch = 0;
  std::string user;
  uint64_t session = 0;
  std::string source;
  std::string server;

  std::vector<uint64_t> offsets;  // Of the events, ascending.
  struct Encoded {
    // Packages back to back, or frames with one package each; null if this kind was not in use.
    net::Payload bytes;
    // Where the package, or the frame, of each event but the first begins.
    std::vector<size_t> starts;
  };
  std::array<Encoded, kWireKinds> encoded;  // By WireKind::index.
  // The events themselves, for a chat server that has lost them.
  std::vector<std::shared_ptr<const chat::v1::Event>> events;

  // The bytes of the events after `offset` for wires of this kind; null if there are none.
  net::Payload After(uint64_t offset, WireKind wire) const;
  // How many those are.
  size_t CountAfter(uint64_t offset) const;
};

using Deliveries = std::vector<Delivery>;

}  // namespace hubbub::connector
