#include "services/net/websocket_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "boost/beast/websocket.hpp"
#include "services/net/frame_budget.h"

namespace hubbub::net {
namespace {

namespace websocket = beast::websocket;

class WebSocketConnection final : public SocketConnection {
 public:
  WebSocketConnection(Client client, WebSocketStream stream, size_t max_bytes, bool ends_without_frame)
      :  // One byte more, for Beast wants room to read before it learns that a message is over.
        SocketConnection(std::move(client), beast::flat_buffer(max_bytes + 1), /*framed=*/true),
        stream_(std::move(stream)),
        ends_without_frame_(ends_without_frame) {
    stream_.control_callback([this](websocket::frame_type type, beast::string_view) {
      if (type == websocket::frame_type::close) return OnCloseFrame();
      frames_.Control();
    });
    stream_.next_layer().Watch([this](size_t bytes) { frames_.Came(bytes); },
                               [this] {
                                 if (!closing() && frames_.Floods(Clock::now)) OnFlood();
                               });
  }

  void AllowMessages(size_t bytes) override {
    SocketConnection::AllowMessages(bytes + 1);
    stream_.read_message_max(bytes);
  }

  bool SaidGoodbye() const override { return has_close_; }
  bool text() const override { return stream_.got_text(); }

 private:
  std::shared_ptr<WebSocketConnection> Self() {
    return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
  }

  void StartRead() override {
    reads_ = true;
    ReadSome(0);
  }

  // `had`: bytes of the message that have come already. Not Beast's async_read, which takes 1,536 bytes of
  // memory for the first of them: most messages are short, and the buffer stays as long as the client does.
  void ReadSome(size_t had) {
    stream_.async_read_some(
        buffer_, std::max(kReadBytes, had),
        [self = Self(), had](boost::system::error_code error, size_t bytes) {
          self->frames_.Passed(bytes, self->stream_.is_message_done());
          if (!error && !self->stream_.is_message_done()) return self->ReadSome(had + bytes);
          self->reads_ = false;
          if (error) self->buffer_.clear();  // A message that will not be whole.
          if (error && self->answers_close_) return self->OnGoodbye();
          if (self->half_closed_) return error ? self->OnGoodbye() : self->Discard();
          // Beast has told the client already: its own errors are about frames that cannot be.
          const bool broken =
              error.category() == websocket::make_error_code(websocket::error::closed).category() &&
              error != websocket::error::closed;
          self->OnRead(error, had + bytes, broken ? CloseReason::kProtocolError : CloseReason::kClientLeft);
        });
  }

  // It is not read from any more, however long it takes the goodbye.
  void OnFlood() {
    stream_.next_layer().StopReading();
    Close(CloseReason::kFlood, "you send far more pings, pongs or fragments than a client may: slow down");
  }

  // The client closes. What it has asked for is answered before Beast answers the close.
  void OnCloseFrame() {
    // Beast's answer may not leave any more. From a fresh stack, for Beast is at work.
    if (half_closed_) return asio::post(stream_.get_executor(), [self = Self()] { self->OnGoodbye(); });
    if (closing()) return;
    stream_.next_layer().Hold();
    has_close_ = true;
    buffer_.clear();  // A message that will not be whole: while a read is under way there is nothing else.
    OnLastByte("the client has closed");
  }

  // After a close nothing may follow (RFC 6455, 5.5.1): Beast's, which has found an error. One that is held
  // back for us has not left, and a client that just sends no more has had none.
  bool MayWrite() const { return stream_.is_open() || got_last_byte(); }

  size_t WriteNow(std::span<const asio::const_buffer> buffers) override {
    return MayWrite() ? stream_.next_layer().WriteNow(buffers) : 0;
  }

  void StartWrite(std::span<const asio::const_buffer> buffers) override {
    // Beast is closing: the read that is under way ends with the reason, and the connection with it.
    if (!MayWrite()) return;
    stream_.next_layer().Write(
        buffers, [self = Self()](boost::system::error_code error, size_t) { self->OnWrite(error); });
  }

  void StartGoodbye(CloseReason reason, const std::string& detail) override {
    if (has_close_) {
      // Its answer waits at Beast, whose read ends after it.
      answers_close_ = true;
      return stream_.next_layer().Release();
    }
    if (got_last_byte()) return StartLastFrame();
    if (ends_without_frame_) return HalfClose();
    websocket::close_reason close(Code(reason), detail.substr(0, CutAt(detail, kMaxCloseReason)));
    stream_.async_close(close, [self = Self()](boost::system::error_code) { self->OnGoodbye(); });
  }

  // Reads on until the client has closed too: see TcpConnection. Behind a frame of Beast's, if one is on its
  // way, nothing else may be written.
  void HalfClose() {
    half_closed_ = true;
    stream_.next_layer().Hold();
    stream_.next_layer().Write({}, [self = Self()](boost::system::error_code error, size_t) {
      if (!error && self->stream().next_layer().is_open()) self->stream().AsyncEndWriting([self] {});
    });
    if (!reads_) Discard();
  }
  void Discard() {
    buffer_.clear();
    StartRead();
  }

  // Beast says nothing any more once its read has ended.
  void StartLastFrame() {
    static constexpr std::array<unsigned char, 4> kNormalClose = {0x88, 2, 1000 >> 8, 1000 & 0xff};
    last_frame_ = asio::buffer(kNormalClose);
    stream_.next_layer().Write(std::span<const asio::const_buffer>(&last_frame_, 1),
                               [self = Self()](boost::system::error_code, size_t) { self->OnGoodbye(); });
  }

  ClientStream& stream() override { return stream_.next_layer().next_layer(); }

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
      case CloseReason::kFlood:
        return websocket::close_code::policy_error;
      case CloseReason::kShutdown:
        return websocket::close_code::going_away;
      case CloseReason::kRefused:
        return websocket::close_code::try_again_later;
      case CloseReason::kClientLeft:
      case CloseReason::kKicked:
        break;
    }
    return websocket::close_code::normal;
  }

  // What is held back ends as well, and gives up what it owns.
  void OnSocketClosed() override { stream_.next_layer().Release(); }

  static constexpr size_t kReadBytes = 512;

  WebSocketStream stream_;
  FrameBudget frames_{Clock::now()};
  bool reads_ = false;          // A read is under way.
  bool has_close_ = false;      // The client's close frame.
  bool answers_close_ = false;  // Beast does so now.
  const bool ends_without_frame_;
  bool half_closed_ = false;
  asio::const_buffer last_frame_;
};

}  // namespace

std::shared_ptr<SocketConnection> MakeWebSocketConnection(SocketConnection::Client client,
                                                          WebSocketStream stream, size_t max_bytes,
                                                          bool ends_without_frame) {
  return std::make_shared<WebSocketConnection>(std::move(client), std::move(stream), max_bytes,
                                               ends_without_frame);
}

}  // namespace hubbub::net
