#include <optional>
#include <utility>

#include "boost/beast/http.hpp"
#include "boost/beast/websocket.hpp"
#include "services/net/socket_connection.h"
#include "services/net/socket_state.h"
#include "services/net/websocket_connection.h"

namespace hubbub::net {
namespace {

namespace http = beast::http;
namespace websocket = beast::websocket;
using HttpRequest = http::request<http::string_body>;

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
    give_up_at_ = set_->Now() + setup_->options.setup_timeout;
    Watch(setup_->options.setup_timeout);
    socket_.async_read_some(buffer_.prepare(1536),
                            [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
                              self->buffer_.commit(bytes);
                              if (!error && bytes > 0) self->Sniff();
                            });
  }

 private:
  void Watch(Clock::duration wait) {
    timer_.expires_after(wait);
    timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
      if (auto newcomer = self.lock(); newcomer && !error) newcomer->OnTimeout();
    });
  }

  // By the clients' clock, and not before what has come is read: it may be this loop that is late.
  void OnTimeout() {
    const Clock::duration left = give_up_at_ - set_->Now();
    if (left > Clock::duration::zero()) return Watch(left);
    if (left > -setup_->options.setup_timeout && HasUnread(Handle())) return Watch(kLookAgain);
    GiveUp();
  }
  int Handle() {
    return stream_ ? stream_->next_layer().next_layer().native_handle() : socket_.native_handle();
  }

  static constexpr std::chrono::milliseconds kLookAgain{100};

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
    Run(MakeWebSocketConnection(std::move(client), *std::move(stream_), setup_->options.max_message_bytes));
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
  Clock::time_point give_up_at_;
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
