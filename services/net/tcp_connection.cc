#include "services/net/tcp_connection.h"

#include <algorithm>
#include <utility>

#include "boost/asio/write.hpp"

namespace hubbub::net {
namespace {

class TcpConnection final : public SocketConnection {
 public:
  TcpConnection(Client client, Socket socket, beast::flat_buffer read)
      : SocketConnection(std::move(client), std::move(read), /*framed=*/false), socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
  }

 private:
  static constexpr size_t kReadBytes = 2048;

  std::shared_ptr<TcpConnection> Self() {
    return std::static_pointer_cast<TcpConnection>(shared_from_this());
  }

  void StartRead() override {
    const size_t room = buffer_.max_size() - buffer_.size();
    if (room == 0) return Close(CloseReason::kProtocolError, "a package is larger than this server takes");
    socket_.async_read_some(buffer_.prepare(std::min(room, kReadBytes)),
                            [self = Self()](boost::system::error_code error, size_t bytes) {
                              self->buffer_.commit(bytes);
                              self->OnRead(error, bytes);
                            });
  }

  size_t WriteNow(std::span<const asio::const_buffer> buffers) override {
    boost::system::error_code error;
    const size_t taken = socket_.write_some(buffers, error);
    return error ? 0 : taken;
  }

  void StartWrite(std::span<const asio::const_buffer> buffers) override {
    asio::async_write(socket_, buffers,
                      [self = Self()](boost::system::error_code error, size_t) { self->OnWrite(error); });
  }

  // Half-closes and reads on until the client has closed too: closing with bytes unread would send a reset,
  // and the client would lose what it was just told. The base class bounds the time.
  void StartGoodbye(CloseReason, const std::string&) override {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    socket_.cancel(ignored);
    buffer_.clear();
    Discard();
  }

  void Discard() {
    socket_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = Self()](boost::system::error_code error, size_t bytes) {
                              if (error == asio::error::operation_aborted && self->socket_.is_open())
                                return self->Discard();
                              self->discarded_bytes_ += bytes;
                              if (error || self->discarded_bytes_ > Connection::kHardLimit)
                                return self->OnGoodbye();
                              self->Discard();
                            });
  }

  void WatchForError() override {
    socket_.async_wait(Socket::wait_error, [self = Self()](boost::system::error_code error) {
      if (!error && !self->closing()) self->Abort(CloseReason::kClientLeft, "the client has gone");
    });
  }

  int Handle() override { return socket_.native_handle(); }

  void CloseSocket() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  Socket socket_;
  size_t discarded_bytes_ = 0;
};

}  // namespace

std::shared_ptr<SocketConnection> MakeTcpConnection(SocketConnection::Client client, Socket socket,
                                                    beast::flat_buffer read) {
  return std::make_shared<TcpConnection>(std::move(client), std::move(socket), std::move(read));
}

}  // namespace hubbub::net
