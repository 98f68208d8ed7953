#pragma once

#include <array>
#include <atomic>
#include <string>

#include "boost/json.hpp"
#include "connector/delivery.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/session/wire_kind.h"

namespace hubbub::connector {

// Events as the clients' pushes would have them, each with its route.
boost::json::array PushBodies(const google::protobuf::RepeatedPtrField<chat::v1::Event>& events);

// Turns batches of events into deliveries, encoding each event once for each wire format that a session here
// uses, and copying it where the format goes both into WebSocket frames and out on TCP. Thread-safe: any
// number of chat servers' batches at a time. Owned by main.
class Encoder {
 public:
  explicit Encoder(const ClientContract& contract) : contract_(contract) {}

  // A session on a wire of this kind is about to enter its first room, or is gone. Counted before the room
  // knows of the session, so that no event that it must get is encoded without its kind.
  void Use(WireKind wire) { ++in_use_[wire.index()]; }
  void Unuse(WireKind wire) { --in_use_[wire.index()]; }

  // Messages to everybody that follow each other in a room become one delivery. `source`: the chat server
  // that they come from.
  Deliveries Encode(google::protobuf::RepeatedPtrField<chat::v1::Event> events,
                    const std::string& source = {}) const;

 private:
  // So much of one room is put into one delivery at the most; a run that is longer becomes several.
  static constexpr size_t kMaxRunBytes = 32 * 1024;

  struct Draft;
  void Append(chat::v1::Event& event, Draft& draft) const;

  const ClientContract& contract_;
  std::array<std::atomic<int>, kWireKinds> in_use_{};
};

}  // namespace hubbub::connector
