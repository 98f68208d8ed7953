#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hubbub::net {

using Clock = std::chrono::steady_clock;

// Bytes to write, shared by all connections that get them. Never changed once shared.
using Payload = std::shared_ptr<const std::string>;

// Why a connection ended. Each has one word for logs and metrics.
enum class CloseReason {
  kClientLeft,     // the client closed, or the network did
  kProtocolError,  // the client broke the protocol
  kTimeout,        // no handshake, no sign-in or no heartbeat in time
  kSlow,           // the client does not read what it is sent
  kKicked,         // somebody asked for it
  kShutdown,       // this server ends, or wants the client to come back by a new connection
};
inline constexpr std::array kCloseReasons = {CloseReason::kClientLeft, CloseReason::kProtocolError,
                                             CloseReason::kTimeout,    CloseReason::kSlow,
                                             CloseReason::kKicked,     CloseReason::kShutdown};
std::string_view ToString(CloseReason reason);

// What runs on a connection, on the connection's loop alone. Owned by the connection.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Takes bytes from the front of `bytes` and answers how many. What is left is offered again, with more
  // behind it, or after Connection::Resume. `frame_end`: the bytes end where a WebSocket frame does; always
  // false on TCP.
  virtual size_t OnBytes(std::string_view bytes, bool frame_end) = 0;

  // About once a second.
  virtual void OnTick(Clock::time_point now) = 0;

  // This server ends: says goodbye to the client in the protocol's way, and closes. `detail` is what the
  // client is told.
  virtual void OnShutdown(std::string_view detail) = 0;

  // The connection takes no more; the last call. `detail` is for the log.
  virtual void OnClosed(CloseReason reason, std::string_view detail) = 0;
};

// One client socket, WebSocket or TCP, with its queue of writes. Loop-only. Owned by its
// loop's ConnectionSet until its end.
//
// At most one write is in flight; whatever is sent meanwhile leaves as the next one, gathered. Bounds, in
// bytes queued: above kSoftLimit the client is not read from until it has taken its part; above kHardLimit it
// is closed as slow, as it is when it takes nothing of what is being written for kStallTimeout.
class Connection {
 public:
  static constexpr size_t kSoftLimit = size_t{256} * 1024;
  // More than the worst batch of events that comes in one go, as JSON, so that nobody who reads is cut.
  static constexpr size_t kHardLimit = size_t{4} * 1024 * 1024;
  static constexpr std::chrono::seconds kStallTimeout{10};
  // How long a closing connection may take to hand over its last bytes.
  static constexpr std::chrono::seconds kCloseTimeout{3};

  virtual ~Connection() = default;

  // Queues a payload: one or more whole packages.
  virtual void Send(Payload payload) = 0;

  // Stops reading: the protocol is at work and takes no further bytes until Resume.
  virtual void Pause() = 0;
  // Offers the bytes that Protocol::OnBytes left, from a fresh stack, and goes on reading.
  virtual void Resume() = 0;

  // Writes what is queued, then closes; on WebSocket with `detail` as the close reason. Nothing is read any
  // more. Only the first call counts.
  virtual void Close(CloseReason reason, std::string detail) = 0;

  // True if the client is not read from because it does not take what it is sent.
  virtual bool Stalled() const = 0;

  // True if the client has said that it leaves: by a close frame of WebSocket. TCP has no such word.
  virtual bool SaidGoodbye() const { return false; }

  virtual std::string_view peer() const = 0;
};

}  // namespace hubbub::net
