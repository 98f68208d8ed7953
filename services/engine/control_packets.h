#pragma once

#include <cstddef>
#include <string_view>

#include "services/base/flood_limit.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// Judges the packets of a client that its protocol is not shown, and so does not count: pings and pongs, of
// which clients send one in 25 s, packets that mean nothing, and messages without a byte. Not thread-safe.
// Owned by its session.
class ControlPackets {
 public:
  using Clock = FloodLimit::Clock;
  enum class Verdict {
    kTake,    // By a ping and a message: to be answered, and passed on. Others ask for nothing.
    kDrop,    // There are too many.
    kLeave,   // The client leaves.
    kRefuse,  // The client breaks the protocol.
    kFlood,   // There are so many that the client is to be closed.
  };
  struct Judgement {
    Verdict verdict;
    std::string_view why = {};  // What a client is told that is refused, or floods.
  };

  ControlPackets(socketio::EngineVersion version, Clock::time_point now)
      : version_(version), limit_(kPerSecond, kMostDropped, now) {}

  // One more packet, with so many bytes behind its type: beyond 128 it is refused, for it has nothing to say,
  // and its bytes are counted nowhere. Beyond 20 at once and 10 a second it is dropped; more than 100 dropped
  // within a second are a flood. A close counts for nothing: it ends the session anyway.
  Judgement Judge(socketio::EngineType type, size_t bytes, Clock::time_point now);

 private:
  static constexpr size_t kMostBytes = 128;
  static constexpr int kPerSecond = 10;
  static constexpr int kMostDropped = 100;

  const socketio::EngineVersion version_;
  FloodLimit limit_;
};

}  // namespace hubbub::engine
