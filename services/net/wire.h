#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "boost/asio/buffer.hpp"
#include "boost/beast/core/role.hpp"
#include "boost/beast/websocket/teardown.hpp"
#include "services/net/client_stream.h"
#include "services/net/socket.h"

namespace hubbub::net {

// The client's bytes below a Beast WebSocket stream. It has two writers. Beast writes control frames by
// itself as it reads: pongs, and the answer to a close. The connection writes its data frames past Beast, so
// that most writes are one system call and no Asio operation. Each write consists of whole frames, and begins
// only after the previous write has left. Loop-only. Owned by the stream; must not move during an operation.
class Wire {
 public:
  using executor_type = Executor;
  using next_layer_type = ClientStream;

  explicit Wire(ClientStream stream) : stream_(std::move(stream)) {}

  executor_type get_executor() { return stream_.get_executor(); }
  ClientStream& next_layer() { return stream_; }
  const ClientStream& next_layer() const { return stream_; }

  // Writes what the socket takes at once, and returns how many bytes that was: 0 while another write is under
  // way, or if the socket has an error, which the next Write reports.
  size_t WriteNow(std::span<const asio::const_buffer> buffers) {
    return busy_ ? 0 : stream_.WriteNow(buffers);
  }

  // Calls `came` with the number of bytes whenever some were read, and `before` ahead of each further read:
  // Beast, which is about to read, has passed on all that it had by then. Set before the first read.
  void Watch(absl::AnyInvocable<void(size_t)> came, absl::AnyInvocable<void()> before) {
    came_ = std::move(came);
    before_ = std::move(before);
  }
  // Reads no more, until Release.
  void StopReading() { deaf_ = true; }

  // For Beast.
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, size_t)>(
        [this](auto handler, const Buffers& own) {
          if (before_) before_();
          if (!deaf_) return Read(own, std::move(handler));
          read_waiting_ = [this, own, handler = std::move(handler)]() mutable {
            Read(own, std::move(handler));
          };
        },
        token, buffers);
  }

  // Writes the bytes that WriteNow did not take, before a write of Beast's that waits.
  template <typename Handler>
  void Write(std::span<const asio::const_buffer> buffers, Handler handler) {
    Start(own_waiting_, buffers, std::move(handler));
  }

  // Lets Beast write nothing until Release: it is about to answer the client's close, after which nothing may
  // follow (RFC 6455, 5.5.1), and the client is still owed something.
  void Hold() { held_ = true; }
  void Release() {
    held_ = false;
    deaf_ = false;
    if (read_waiting_) std::exchange(read_waiting_, nullptr)();
    if (!busy_) Next();
  }

  // For Beast. Unlike Asio's own async_write_some it writes all bytes, so that frames stay whole. Beast and
  // the connection each have at most one write at a time.
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, size_t)>(
        [this](auto handler, const Buffers& own) { Start(beast_waiting_, own, std::move(handler)); }, token,
        buffers);
  }

 private:
  using Waiting = absl::AnyInvocable<void()>;

  template <typename Buffers, typename Handler>
  void Read(const Buffers& buffers, Handler handler) {
    stream_.async_read_some(
        buffers, [this, handler = std::move(handler)](boost::system::error_code error, size_t bytes) mutable {
          if (came_) came_(bytes);
          // Last: it may be what keeps this alive.
          std::move(handler)(error, bytes);
        });
  }

  template <typename Buffers, typename Handler>
  void Start(Waiting& waiting, const Buffers& buffers, Handler handler) {
    if (!busy_ && !(held_ && &waiting == &beast_waiting_)) return Begin(buffers, std::move(handler));
    waiting = [this, buffers, handler = std::move(handler)]() mutable { Begin(buffers, std::move(handler)); };
  }

  void Next() {
    if (own_waiting_) return std::exchange(own_waiting_, nullptr)();
    if (beast_waiting_ && !held_) std::exchange(beast_waiting_, nullptr)();
  }

  template <typename Buffers, typename Handler>
  void Begin(const Buffers& buffers, Handler handler) {
    busy_ = true;
    stream_.AsyncWrite(
        buffers, [this, handler = std::move(handler)](boost::system::error_code error, size_t bytes) mutable {
          busy_ = false;
          Next();
          // Last: it may be what keeps this alive.
          std::move(handler)(error, bytes);
        });
  }

  ClientStream stream_;
  bool busy_ = false;
  bool held_ = false;
  bool deaf_ = false;
  absl::AnyInvocable<void(size_t)> came_;
  absl::AnyInvocable<void()> before_;
  Waiting read_waiting_;  // A read of Beast's that does not begin; null: none.
  // The write of the connection, and that of Beast, that waits for its turn; null: none.
  Waiting own_waiting_;
  Waiting beast_waiting_;
};

// Beast finds these by the argument's namespace.
inline void teardown(beast::role_type role, Wire& wire, boost::system::error_code& error) {
  beast::websocket::teardown(role, wire.next_layer().next_layer(), error);
}
template <typename Handler>
void async_teardown(beast::role_type role, Wire& wire, Handler&& handler) {
  ClientStream& stream = wire.next_layer();
  if (!stream.secure())
    return beast::websocket::async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
  stream.AsyncEndWriting([&stream, role, own = std::forward<Handler>(handler)]() mutable {
    beast::websocket::async_teardown(role, stream.next_layer(), std::move(own));
  });
}

}  // namespace hubbub::net
