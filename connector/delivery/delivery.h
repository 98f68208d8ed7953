#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/push_encoding.h"
#include "services/net/connection.h"

namespace hubbub::connector {

// What the sessions of one room get in one go: one event, or several messages to everybody in a row. Encoded
// once for each push encoding in use; the bytes are shared by all sessions. Immutable once shared between
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
  uint64_t life = 0;  // kJoined and kLeft that are numbered apart: RoomPoint.
  std::string user;
  uint64_t session = 0;
  std::string source;  // The chat server that it comes from; empty if it came with an answer.
  std::string server;

  std::vector<uint64_t> numbers;  // Of the events, ascending: their offsets, or with `life` their changes.
  struct Encoded {
    // Packages back to back, or frames with one package each; null if this encoding was not in use.
    net::Payload bytes;
    // Where the package, or the frame, of each event but the first begins.
    std::vector<size_t> starts;
  };
  std::vector<Encoded> encoded;  // By PushEncoding::index. Empty if there are no events.
  // The events themselves, for a chat server that has lost them.
  std::vector<std::shared_ptr<const chat::v1::Event>> events;

  // The bytes of the events after `number` in this encoding; null if there are none.
  net::Payload After(uint64_t number, const client::PushEncoding& encoding) const;
  // How many those are.
  size_t CountAfter(uint64_t number) const;
};

using Deliveries = std::vector<Delivery>;

}  // namespace hubbub::connector
