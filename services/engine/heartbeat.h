#pragma once

#include <chrono>
#include <utility>

#include "absl/functional/function_ref.h"
#include "services/net/connection.h"
#include "services/net/lateness.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// Whether a session's client still lives, and when it is to be pinged: by protocol 4 the server pings, by
// protocol 3 the client does. Times are of the clients' clock (net::ClientClock). Not thread-safe. Owned by
// its session.
class Heartbeat {
 public:
  enum class Due { kNothing, kPing, kEnd };

  Heartbeat(socketio::EngineVersion version, std::chrono::milliseconds ping_interval,
            std::chrono::milliseconds ping_timeout, net::Clock::time_point now)
      : version_(version),
        ping_interval_(ping_interval),
        allowed_(ping_interval + ping_timeout),
        last_heard_(now),
        next_ping_(now + ping_interval) {}

  // The client has sent something, or has come another way.
  void Heard(net::Clock::time_point now) {
    last_heard_ = now;
    heard_ = true;
  }
  // True if the client was heard since the last call.
  bool TakeHeard() { return std::exchange(heard_, false); }
  // What the session owes its client now. Each ping is due once. `has_unread`: as net::IsLate has it.
  Due Look(net::Clock::time_point now, absl::FunctionRef<bool()> has_unread) {
    if (net::IsLate(now - last_heard_, allowed_, has_unread)) return Due::kEnd;
    if (version_ == socketio::EngineVersion::k3 || now < next_ping_) return Due::kNothing;
    next_ping_ = now + ping_interval_;
    return Due::kPing;
  }

 private:
  const socketio::EngineVersion version_;
  const std::chrono::milliseconds ping_interval_;
  const std::chrono::milliseconds allowed_;
  net::Clock::time_point last_heard_;
  net::Clock::time_point next_ping_;
  bool heard_ = false;
};

}  // namespace hubbub::engine
