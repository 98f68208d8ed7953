#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "boost/asio/write.hpp"
#include "boost/beast/http.hpp"
#include "boost/beast/websocket.hpp"
#include "services/net/socket_connection.h"
#include "services/net/wire.h"

namespace hubbub::net {
namespace {

namespace http = beast::http;
namespace websocket = beast::websocket;
// Without permessage-deflate: stock clients do not ask for it, and it costs memory and most of the
// throughput.
using WebSocketStream = websocket::stream<Wire, false>;
using HttpRequest = http::request<http::string_body>;

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
          self->OnRead(error, had + bytes, broken ? CloseReason::kProtocolError : CloseReason::kClientLeft);
        });
  }

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
};

// The first moments of a client: sniffing, and HTTP if it speaks that. Owned by its pending operation; one
// timer bounds the whole.
class Newcomer : public Arrival, public std::enable_shared_from_this<Newcomer> {
 public:
  Newcomer(std::shared_ptr<ConnectionSet> set, Ticket ticket, Socket socket,
           std::shared_ptr<const SetUp> setup)
      : set_(std::move(set)),
        ticket_(std::move(ticket)),
        setup_(std::move(setup)),
        socket_(std::move(socket)),
        timer_(set_->loop().executor()),
        buffer_(setup_->options.max_message_bytes + 4) {
    set_->Insert(this);
  }
  ~Newcomer() override { set_->Erase(this); }

  void Start() {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto endpoint = socket_.remote_endpoint(ignored);
    peer_ = endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
    timer_.expires_after(setup_->options.setup_timeout);
    timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
      if (auto newcomer = self.lock(); newcomer && !error) newcomer->GiveUp();
    });
    socket_.async_read_some(buffer_.prepare(1536),
                            [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
                              self->buffer_.commit(bytes);
                              if (!error && bytes > 0) self->Sniff();
                            });
  }

 private:
  void Sniff() {
    const char first = *static_cast<const char*>(buffer_.cdata().data());
    if (first >= 1 && first <= 5) return StartTcp();
    // Neither a Pomelo package nor HTTP: nothing that this client would understand can be said.
    if (first < 'A' || first > 'Z') return GiveUp();
    parser_.emplace();
    parser_->header_limit(16 * 1024);
    parser_->body_limit(64 * 1024);
    http::async_read(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](boost::system::error_code error, size_t) { self->OnHttp(error); });
  }

  void StartTcp() {
    timer_.cancel();
    Run(MakeTcpConnection({set_, std::move(ticket_), std::move(peer_)}, std::move(socket_),
                          std::move(buffer_)));
  }

  void OnHttp(boost::system::error_code error) {
    if (error == http::error::end_of_stream || error == asio::error::operation_aborted) return;
    if (error)
      return Answer(
          11, {.status = 400,
               .body = "This is no HTTP request that this server understands: " + error.message() + ".\n"});
    request_ = parser_->release();
    if (websocket::is_upgrade(request_)) return Upgrade();
    if (request_.method() != http::verb::get && request_.method() != http::verb::head) {
      return Answer(request_.version(), {.status = 405,
                                         .body = "Only GET and HEAD are served here.\n",
                                         .headers = {{"Allow", "GET, HEAD"}}});
    }
    Answer(request_.version(),
           setup_->http(std::string_view(request_.target().data(), request_.target().size())));
  }

  void Upgrade() {
    stream_.emplace(std::move(socket_));
    stream_->set_option(websocket::stream_base::timeout{setup_->options.setup_timeout,
                                                        websocket::stream_base::none(), false});
    stream_->set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::server, "hubbub/" HUBBUB_VERSION);
    }));
    stream_->auto_fragment(false);
    stream_->binary(true);
    stream_->read_message_max(setup_->options.max_message_bytes);
    stream_->async_accept(request_, [self = shared_from_this()](boost::system::error_code error) {
      if (error) return;
      self->StartWebSocket();
    });
  }

  void StartWebSocket() {
    timer_.cancel();
    SocketConnection::Client client{set_, std::move(ticket_), std::move(peer_)};
    Run(std::make_shared<WebSocketConnection>(std::move(client), *std::move(stream_),
                                              setup_->options.max_message_bytes));
  }

  void Run(const std::shared_ptr<SocketConnection>& connection) {
    if (set_->ended()) return;
    connection->Start(setup_->make_protocol(set_->loop(), *connection));
  }

  void Answer(unsigned version, HttpResponse answer) {
    response_.version(version);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(http::field::server, "hubbub/" HUBBUB_VERSION);
    response_.set(http::field::content_type,
                  beast::string_view(answer.content_type.data(), answer.content_type.size()));
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    response_.body() = std::move(answer.body);
    response_.keep_alive(false);
    response_.prepare_payload();
    if (request_.method() == http::verb::head) response_.body().clear();
    http::async_write(socket_, response_,
                      [self = shared_from_this()](boost::system::error_code error, size_t) {
                        if (error) return;
                        boost::system::error_code ignored;
                        self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
                        self->WaitForEnd();
                      });
  }

  // The timer, or the client's close, ends it: a close with bytes unread would take the answer back.
  void WaitForEnd() {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(1024),
                            [self = shared_from_this()](boost::system::error_code error, size_t) {
                              if (!error) self->WaitForEnd();
                            });
  }

  void GiveUp() override {
    boost::system::error_code ignored;
    if (stream_) {
      stream_->next_layer().next_layer().close(ignored);
    } else {
      socket_.close(ignored);
    }
  }

  const std::shared_ptr<ConnectionSet> set_;
  Ticket ticket_;
  const std::shared_ptr<const SetUp> setup_;
  Socket socket_;
  Timer timer_;
  std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  http::response<http::string_body> response_;
  std::optional<WebSocketStream> stream_;
};

}  // namespace

void SetUpConnection(std::shared_ptr<ConnectionSet> set, Ticket ticket, Socket socket,
                     std::shared_ptr<const SetUp> setup) {
  if (set->ended()) return;
  std::make_shared<Newcomer>(std::move(set), std::move(ticket), std::move(socket), std::move(setup))->Start();
}

}  // namespace hubbub::net
