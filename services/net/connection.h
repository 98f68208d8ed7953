#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hubbub::net {

using Clock = std::chrono::steady_clock;

// Bytes as they go on the wire, in frames or without them (Connection::framed). All connections that send the
// same bytes share one payload. It never changes once it is shared.
using Payload = std::shared_ptr<const std::string>;

// Why a connection ended. Each has one word for logs and metrics.
enum class CloseReason {
  kClientLeft,     // the client closed, or the network did
  kProtocolError,  // the client broke the protocol
  kTimeout,        // no handshake, no sign-in or no heartbeat in time
  kSlow,           // the client does not read what it is sent
  kFlood,          // the client sends far more than a client may
  kKicked,         // somebody asked for it
  kShutdown,       // this server ends, or wants the client to come back by a new connection
  kRefused,        // there is no place: this server is full or drains, or has too many of one address
};
inline constexpr std::array kCloseReasons = {
    CloseReason::kClientLeft, CloseReason::kProtocolError, CloseReason::kTimeout,  CloseReason::kSlow,
    CloseReason::kFlood,      CloseReason::kKicked,        CloseReason::kShutdown, CloseReason::kRefused};
std::string_view ToString(CloseReason reason);
// False if the client is told to go for good: it is not to come back by itself.
constexpr bool MayComeBack(CloseReason reason) {
  return reason != CloseReason::kFlood && reason != CloseReason::kKicked;
}

// What runs on a connection, on the connection's loop alone. Owned by the connection.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Takes bytes from the front of `bytes` and returns how many it took. The connection offers the rest again,
  // with more bytes behind it, or after Connection::Resume. `frame_end`: `bytes` end where a WebSocket frame
  // ends; always false on TCP.
  virtual size_t OnBytes(std::string_view bytes, bool frame_end) = 0;

  // The client sends no more, and OnBytes has been offered everything that the client sent. The client may
  // still read: the protocol closes the connection once it owes the client nothing. `detail` is for the log.
  virtual void OnLastByte(std::string_view detail) = 0;

  // Called about once a second (Patience::tick). `now` is Connection::Now.
  virtual void OnTick(Clock::time_point now) = 0;

  // This server ends: the protocol says goodbye to the client in its own way and closes the connection.
  // `detail` is what the client is told.
  virtual void OnShutdown(std::string_view detail) = 0;

  // The connection has ended and takes no more payloads. This is the last call. `detail` is for the log.
  virtual void OnClosed(CloseReason reason, std::string_view detail) = 0;
};

// How long clients may take, by ClientClock. All servers use these values; only tests use others.
struct Patience {
  // How often a loop looks at its clients.
  std::chrono::milliseconds tick{1'000};
  // A client that takes no byte of a write within this time is closed as slow. A byte is taken when the
  // client's machine acknowledges it, even if the write as a whole goes on. So a client that reads slowly is
  // not cut off, as long as its machine acknowledges something within this time. That machine announces free
  // room in pieces of up to half of its receive buffer or one segment, whichever is less. Through a network a
  // segment has 1,460 bytes, so the slowest client that is not cut off there reads 146 bytes a second.
  std::chrono::milliseconds stall{10'000};
  // A connection that is being closed ends when the client takes none of its last bytes within this time.
  std::chrono::milliseconds close{3'000};
  // The longest time for all of the last bytes, and for the answers to a client that sends no more, however
  // steadily the client takes them.
  std::chrono::milliseconds last_words{30'000};
};

// One client socket, WebSocket or TCP, with its queue of writes. Loop-only. Owned by its
// loop's ConnectionSet until its end.
//
// At most one write is in flight; payloads that are sent during it leave together in the next write. The
// queue is bounded, in bytes. Above kSoftLimit the connection reads nothing from the client until the client
// has taken enough. Above kHardLimit it closes the client as slow. It also closes as slow a client that takes
// nothing of a write for Patience::stall.
class Connection {
 public:
  static constexpr size_t kSoftLimit = size_t{256} * 1024;
  // Above it, Behind() is true.
  static constexpr size_t kBehindLimit = size_t{3} * 1024 * 1024;
  // More than the largest batch of events that comes at once, as JSON: a client that reads is not cut off.
  static constexpr size_t kHardLimit = size_t{4} * 1024 * 1024;

  virtual ~Connection() = default;

  // True on WebSocket: payloads must consist of frames, which services/net/frame.h makes.
  virtual bool framed() const = 0;

  // Queues a payload: one or more whole packages, or whole frames if framed(). Its bytes leave in one piece:
  // no other write comes between them.
  virtual void Send(Payload payload) = 0;

  // Stops reading: the protocol is at work and takes no further bytes until Resume.
  virtual void Pause() = 0;
  // Offers the bytes that Protocol::OnBytes left, from a fresh stack, and goes on reading.
  virtual void Resume() = 0;

  // From now on a WebSocket message may have up to `bytes` bytes, and a TCP client may have that many bytes
  // waiting. Until this call the bound is ListenerOptions::max_message_bytes.
  virtual void AllowMessages(size_t bytes) = 0;

  // Writes what is queued, then closes the connection; on WebSocket with `detail` as the close reason. The
  // protocol gets no more bytes. Only the first call counts.
  virtual void Close(CloseReason reason, std::string detail) = 0;

  // True if the connection reads nothing from the client because the client does not take what it is sent.
  virtual bool Stalled() const = 0;

  // True if the client is so far behind that what others say should be left out, so that it is not closed for
  // that.
  virtual bool Behind() const = 0;

  // The time by which clients are judged (ClientClock).
  virtual Clock::time_point Now() const = 0;

  // True if the client has sent bytes that were not read yet. Makes a system call.
  virtual bool HasUnread() = 0;

  // True if the client has shown life since the last call in any of these ways: it has sent bytes, even a
  // part of a frame, a ping or a pong; it has taken bytes; or, while there was nothing to take, its machine
  // has answered a TCP keepalive. Makes a system call.
  virtual bool ShowsLife() = 0;

  // True if the client has said that it leaves, by a WebSocket close frame. TCP has no such message.
  virtual bool SaidGoodbye() const { return false; }

  // On WebSocket: true if the message that Protocol::OnBytes is offered came as text.
  virtual bool text() const { return false; }

  virtual std::string_view peer() const = 0;

  // The bearer token (RFC 6750) that the client showed when it opened its WebSocket, or its session of polls;
  // empty if it showed none, and at the second call.
  virtual std::string TakeBearer() { return {}; }
};

}  // namespace hubbub::net
