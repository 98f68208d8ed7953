#include "services/net/tcp_connection.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace hubbub::net {
namespace {

class TcpConnection final : public SocketConnection {
 public:
  TcpConnection(Client client, ClientStream stream, beast::flat_buffer read)
      : SocketConnection(std::move(client), std::move(read), /*framed=*/false), stream_(std::move(stream)) {}

 private:
  static constexpr size_t kReadBytes = 2048;

  std::shared_ptr<TcpConnection> Self() {
    return std::static_pointer_cast<TcpConnection>(shared_from_this());
  }

  void StartRead() override {
    const size_t room = buffer_.max_size() - buffer_.size();
    if (room == 0) return Close(CloseReason::kProtocolError, "a package is larger than this server takes");
    stream_.async_read_some(buffer_.prepare(std::min(room, kReadBytes)),
                            [self = Self()](boost::system::error_code error, size_t bytes) {
                              self->buffer_.commit(bytes);
                              self->OnRead(error, bytes);
                            });
  }

  size_t WriteNow(std::span<const asio::const_buffer> buffers) override { return stream_.WriteNow(buffers); }

  void StartWrite(std::span<const asio::const_buffer> buffers) override {
    stream_.AsyncWrite(buffers,
                       [self = Self()](boost::system::error_code error, size_t) { self->OnWrite(error); });
  }

  // Half-closes and reads on until the client has closed too: closing with bytes unread would send a reset,
  // and the client would lose what it was just told. The base class bounds the time.
  void StartGoodbye(CloseReason, const std::string&) override {
    boost::system::error_code ignored;
    stream_.next_layer().cancel(ignored);
    stream_.AsyncEndWriting([self = Self()] {});
    discarded_ = std::make_unique<std::array<char, kReadBytes>>();
    Discard();
  }

  // Past TLS, if there is any: the bytes mean nothing any more.
  void Discard() {
    stream_.next_layer().async_read_some(
        asio::buffer(*discarded_), [self = Self()](boost::system::error_code error, size_t bytes) {
          if (error == asio::error::operation_aborted && self->stream_.next_layer().is_open())
            return self->Discard();
          self->discarded_bytes_ += bytes;
          if (error || self->discarded_bytes_ > Connection::kHardLimit) return self->OnGoodbye();
          self->Discard();
        });
  }

  ClientStream& stream() override { return stream_; }

  ClientStream stream_;
  // Not the buffer of reads: one that was cancelled just now may still write there.
  std::unique_ptr<std::array<char, kReadBytes>> discarded_;
  size_t discarded_bytes_ = 0;
};

}  // namespace

std::shared_ptr<SocketConnection> MakeTcpConnection(SocketConnection::Client client, ClientStream stream,
                                                    beast::flat_buffer read) {
  return std::make_shared<TcpConnection>(std::move(client), std::move(stream), std::move(read));
}

}  // namespace hubbub::net
