#include "services/net/websocket_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "boost/beast/websocket.hpp"

namespace hubbub::net {
namespace {

namespace websocket = beast::websocket;

using FrameHeader = std::array<unsigned char, 10>;

// The header of a frame that holds a whole binary message of so many bytes (RFC 6455, 5.2); answers its size.
size_t WriteFrameHeader(uint64_t bytes, FrameHeader& header) {
  header[0] = 0x82;
  if (bytes < 126) {
    header[1] = static_cast<unsigned char>(bytes);
    return 2;
  }
  const size_t wide = bytes <= 0xffff ? 2 : 8;
  header[1] = wide == 2 ? 126 : 127;
  for (size_t i = 0; i < wide; ++i) header[2 + i] = static_cast<unsigned char>(bytes >> (8 * (wide - 1 - i)));
  return 2 + wide;
}

class WebSocketConnection final : public SocketConnection {
 public:
  WebSocketConnection(Client client, WebSocketStream stream, size_t max_bytes)
      :  // One byte more, for Beast wants room to read before it learns that a message is over.
        SocketConnection(std::move(client), beast::flat_buffer(max_bytes + 1), /*framed=*/true),
        stream_(std::move(stream)) {}

 private:
  std::shared_ptr<WebSocketConnection> Self() {
    return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
  }

  void StartRead() override { ReadSome(0); }

  // `had`: bytes of the message that have come already. Not Beast's async_read, which takes 1,536 bytes of
  // memory for the first of them: most messages are short, and the buffer stays as long as the client does.
  void ReadSome(size_t had) {
    stream_.async_read_some(
        buffer_, std::max(kReadBytes, had),
        [self = Self(), had](boost::system::error_code error, size_t bytes) {
          if (!error && !self->stream_.is_message_done()) return self->ReadSome(had + bytes);
          // Beast has told the client already: its own errors are about frames that can not be.
          const bool broken =
              error.category() == websocket::make_error_code(websocket::error::closed).category() &&
              error != websocket::error::closed;
          if (error == websocket::error::closed) self->said_goodbye_ = true;
          self->OnRead(error, had + bytes, broken ? CloseReason::kProtocolError : CloseReason::kClientLeft);
        });
  }

  bool SaidGoodbye() const override { return said_goodbye_; }

  asio::const_buffer Header(size_t bytes) override {
    return {header_.data(), WriteFrameHeader(bytes, header_)};
  }

  size_t WriteNow(std::span<const asio::const_buffer> buffers) override {
    // After a close nothing may follow (RFC 6455, 5.5.1).
    return stream_.is_open() ? stream_.next_layer().WriteNow(buffers) : 0;
  }

  void StartWrite(std::span<const asio::const_buffer> buffers) override {
    // Beast is closing: the read that is under way ends with the reason, and the connection with it.
    if (!stream_.is_open()) return;
    stream_.next_layer().async_write_some(
        buffers, [self = Self()](boost::system::error_code error, size_t) { self->OnWrite(error); });
  }

  void StartGoodbye(CloseReason reason, const std::string& detail) override {
    websocket::close_reason close(Code(reason), detail.substr(0, CutAt(detail, kMaxCloseReason)));
    stream_.async_close(close, [self = Self()](boost::system::error_code) { self->OnGoodbye(); });
  }

  // What a close frame has room for beside the code (RFC 6455, 5.5).
  static constexpr size_t kMaxCloseReason = 123;

  // At most `most` bytes, without half a character at the end: browsers fail a close frame that is no UTF-8.
  static size_t CutAt(std::string_view text, size_t most) {
    if (text.size() <= most) return text.size();
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    return most;
  }

  static websocket::close_code Code(CloseReason reason) {
    switch (reason) {
      case CloseReason::kProtocolError:
        return websocket::close_code::protocol_error;
      case CloseReason::kTimeout:
      case CloseReason::kSlow:
        return websocket::close_code::policy_error;
      case CloseReason::kShutdown:
        return websocket::close_code::going_away;
      case CloseReason::kClientLeft:
      case CloseReason::kKicked:
        break;
    }
    return websocket::close_code::normal;
  }

  void CloseSocket() override {
    boost::system::error_code ignored;
    stream_.next_layer().next_layer().close(ignored);
  }

  static constexpr size_t kReadBytes = 512;

  WebSocketStream stream_;
  FrameHeader header_;
  bool said_goodbye_ = false;
};

}  // namespace

std::shared_ptr<SocketConnection> MakeWebSocketConnection(SocketConnection::Client client,
                                                          WebSocketStream stream, size_t max_bytes) {
  return std::make_shared<WebSocketConnection>(std::move(client), std::move(stream), max_bytes);
}

}  // namespace hubbub::net
