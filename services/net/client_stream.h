#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "boost/asio/async_result.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/write.hpp"
#include "boost/system/error_code.hpp"
#include "services/net/socket.h"
#include "services/net/tls_session.h"

namespace hubbub::net {

// A client's bytes over its socket, plain or through TLS. Plain, each call is that of the socket, and nothing
// but a look at a pointer comes on top. Loop-only. It must stay where it is during an operation, and may have
// one that reads and one that writes at a time. After a cancel of the socket, a read through TLS may still
// write to its buffer, until its handler is called.
class ClientStream {
 public:
  using executor_type = Executor;
  using next_layer_type = Socket;

  // Puts the socket into the mode in which WriteNow does not wait.
  explicit ClientStream(Socket socket);

  executor_type get_executor() { return socket_.get_executor(); }
  // The socket. What is read from it or written to it goes past TLS.
  Socket& next_layer() { return socket_; }
  const Socket& next_layer() const { return socket_; }
  bool secure() const { return tls_ != nullptr; }

  // The client's bytes go through TLS from now on. `then` is called after the handshake.
  void StartTls(std::unique_ptr<TlsSession> tls, absl::AnyInvocable<void(boost::system::error_code)> then);
  // True if the client has come back with a ticket.
  bool resumed() const { return tls_ != nullptr && tls_->resumed(); }

  // True if bytes have come that were not read yet. Makes a system call.
  bool HasUnread();

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_ == nullptr) [[likely]]
      return socket_.async_read_some(buffers, std::forward<Token>(token));
    return asio::async_initiate<Token, void(boost::system::error_code, size_t)>(
        [this](auto handler, const Buffers& own) { ReadTls(FirstOf(own), std::move(handler)); }, token,
        buffers);
  }

  // Writes what the socket takes at once, and returns how many bytes that was. The next call, and AsyncWrite,
  // must begin with the rest.
  size_t WriteNow(std::span<const asio::const_buffer> buffers) {
    if (tls_ != nullptr) [[unlikely]]
      return WriteTlsNow(buffers);
    boost::system::error_code error;
    const size_t taken = socket_.write_some(buffers, error);
    return error ? 0 : taken;
  }

  // Writes all bytes.
  template <typename Buffers, typename Handler>
  void AsyncWrite(const Buffers& buffers, Handler handler) {
    if (tls_ == nullptr) [[likely]]
      return asio::async_write(socket_, buffers, std::move(handler));
    WriteTls({asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers)}, std::move(handler));
  }

  // Says that nothing more is written: by close_notify if there is TLS, then by FIN. Nothing may be written
  // after it. Then calls `then`, which may be at once.
  void AsyncEndWriting(absl::AnyInvocable<void()> then);

  // Moves it to another loop. No operation may be under way, and nothing may be called here after it.
  ClientStream MoveTo(const Executor& executor, boost::system::error_code& error);

 private:
  using Handler = absl::AnyInvocable<void(boost::system::error_code, size_t)>;
  using Attempt = absl::AnyInvocable<TlsSession::Step(TlsSession&)>;

  template <typename Buffers>
  static asio::mutable_buffer FirstOf(const Buffers& buffers) {
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto at = asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (asio::mutable_buffer(*at).size() > 0) return *at;
    }
    return {};
  }

  void ReadTls(asio::mutable_buffer room, Handler handler);
  size_t WriteTlsNow(std::span<const asio::const_buffer> buffers);
  void WriteTls(std::vector<asio::const_buffer> buffers, Handler handler);
  // Makes the attempt, and again whenever the socket has what it waits for, until it is done. `at_once`: the
  // caller has not returned to the loop, so the handler must not be called yet.
  void Repeat(bool at_once, Attempt attempt, Handler handler);

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace hubbub::net
