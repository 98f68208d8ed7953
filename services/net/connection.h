#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hubbub::net {

using Clock = std::chrono::steady_clock;

// Bytes as they go on the wire of a kind of connection (Connection::framed), shared by all connections that
// get them. Never changed once shared.
using Payload = std::shared_ptr<const std::string>;

// Why a connection ended. Each has one word for logs and metrics.
enum class CloseReason {
  kClientLeft,     // the client closed, or the network did
  kProtocolError,  // the client broke the protocol
  kTimeout,        // no handshake, no sign-in or no heartbeat in time
  kSlow,           // the client does not read what it is sent
  kKicked,         // somebody asked for it
  kShutdown,       // this server ends, or wants the client to come back by a new connection
  kRefused,        // no place: this server is full or drains
};
inline constexpr std::array kCloseReasons = {
    CloseReason::kClientLeft, CloseReason::kProtocolError, CloseReason::kTimeout, CloseReason::kSlow,
    CloseReason::kKicked,     CloseReason::kShutdown,      CloseReason::kRefused};
std::string_view ToString(CloseReason reason);

// What runs on a connection, on the connection's loop alone. Owned by the connection.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Takes bytes from the front of `bytes` and answers how many. What is left is offered again, with more
  // behind it, or after Connection::Resume. `frame_end`: the bytes end where a WebSocket frame does; always
  // false on TCP.
  virtual size_t OnBytes(std::string_view bytes, bool frame_end) = 0;

  // The client sends no more, and OnBytes has been offered all that it sent. It may still read: the protocol
  // closes the connection once it owes the client nothing. `detail` is for the log.
  virtual void OnLastByte(std::string_view detail) = 0;

  // About once a second. `now` is Connection::Now.
  virtual void OnTick(Clock::time_point now) = 0;

  // This server ends: says goodbye to the client in the protocol's way, and closes. `detail` is what the
  // client is told.
  virtual void OnShutdown(std::string_view detail) = 0;

  // The connection takes no more; the last call. `detail` is for the log.
  virtual void OnClosed(CloseReason reason, std::string_view detail) = 0;
};

// What clients are given time for, by ClientClock. The same for all; only tests have other values.
struct Patience {
  // How often a loop looks.
  std::chrono::milliseconds tick{1'000};
  // A client that takes not one byte of what is being written for so long is closed as slow. What counts is
  // what its machine acknowledges, whether a write is over or not: so nobody who reads on is cut, however
  // slowly, as long as some of it shows within this time. A client's machine tells of free room in pieces of
  // up to half of its receive buffer or one segment, whichever is less: one of 1,460 bytes through a network,
  // which makes 146 bytes a second the slowest rate that is seen as such there.
  std::chrono::milliseconds stall{10'000};
  // A connection that is being closed ends when nothing of its last bytes is taken for so long.
  std::chrono::milliseconds close{3'000};
  // What the last bytes may take in all, and the answers to a client that sends no more.
  std::chrono::milliseconds last_words{30'000};
};

// One client socket, WebSocket or TCP, with its queue of writes. Loop-only. Owned by its
// loop's ConnectionSet until its end.
//
// At most one write is in flight; whatever is sent meanwhile leaves as the next one, gathered. Bounds, in
// bytes queued: above kSoftLimit the client is not read from until it has taken its part; above kHardLimit it
// is closed as slow, as it is when it takes nothing of what is being written for Patience::stall.
class Connection {
 public:
  static constexpr size_t kSoftLimit = size_t{256} * 1024;
  // More than the worst batch of events that comes in one go, as JSON, so that nobody who reads is cut.
  static constexpr size_t kHardLimit = size_t{4} * 1024 * 1024;

  virtual ~Connection() = default;

  // True on WebSocket: each package has to be in a frame of its own (services/net/frame.h).
  virtual bool framed() const = 0;

  // Queues a payload: one or more whole packages, or frames if this is framed. What it holds is never cut by
  // anything else that is written.
  virtual void Send(Payload payload) = 0;

  // Stops reading: the protocol is at work and takes no further bytes until Resume.
  virtual void Pause() = 0;
  // Offers the bytes that Protocol::OnBytes left, from a fresh stack, and goes on reading.
  virtual void Resume() = 0;

  // From now on a WebSocket message may be so large, and so much may wait of what a TCP client sent. Until
  // then ListenerOptions::max_message_bytes is the bound.
  virtual void AllowMessages(size_t bytes) = 0;

  // Writes what is queued, then closes; on WebSocket with `detail` as the close reason. Nothing is read any
  // more. Only the first call counts.
  virtual void Close(CloseReason reason, std::string detail) = 0;

  // True if the client is not read from because it does not take what it is sent.
  virtual bool Stalled() const = 0;

  // The time by which clients are judged (ClientClock).
  virtual Clock::time_point Now() const = 0;

  // True if something that the client has sent was not read yet. Asks the system.
  virtual bool HasUnread() = 0;

  // True if the client has shown life since the last call, in whatever way: bytes that came, be they part of
  // a frame, a ping or a pong; bytes that it took; or, while there is nothing to take, its machine's answer
  // to the system's question whether it is there. Asks the system.
  virtual bool ShowsLife() = 0;

  // True if the client has said that it leaves: by a close frame of WebSocket. TCP has no such word.
  virtual bool SaidGoodbye() const { return false; }

  virtual std::string_view peer() const = 0;
};

}  // namespace hubbub::net
