#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "connector/delivery/delivery.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/push_encoding.h"

namespace hubbub::connector {

// Turns batches of events into deliveries. Encodes each event once for each format that a session here uses,
// and copies it where sessions use the format in more than one framing. Thread-safe. Owned by the connector;
// `encodings` outlives it and is complete.
class Encoder {
 public:
  explicit Encoder(const client::PushEncodings& encodings)
      : encodings_(encodings), in_use_(encodings.size()) {}

  // A session with this encoding is about to enter its first room, or is gone. Counted before the room knows
  // of the session, so that every event that the session must get is encoded for it.
  void Use(const client::PushEncoding& encoding) { ++in_use_[encoding.index()]; }
  void Unuse(const client::PushEncoding& encoding) { --in_use_[encoding.index()]; }

  // Messages to everybody that follow each other in a room become one delivery. `source`: the chat server
  // that they come from.
  Deliveries Encode(google::protobuf::RepeatedPtrField<chat::v1::Event> events,
                    const std::string& source = {}) const;

 private:
  // A run of messages that is longer becomes several deliveries.
  static constexpr size_t kMaxRunBytes = 32 * 1024;

  struct Draft;
  void Append(chat::v1::Event& event, Draft& draft) const;

  const client::PushEncodings& encodings_;
  std::vector<std::atomic<int>> in_use_;  // Sessions, by PushEncoding::index.
};

}  // namespace hubbub::connector
