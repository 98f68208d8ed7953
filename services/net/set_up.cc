#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "boost/asio/write.hpp"
#include "boost/beast/http.hpp"
#include "boost/beast/websocket.hpp"
#include "fmt/format.h"
#include "services/net/http_verdict.h"
#include "services/net/refusal.h"
#include "services/net/socket_connection.h"
#include "services/net/socket_state.h"
#include "services/net/websocket_connection.h"

namespace hubbub::net {
namespace {

namespace websocket = beast::websocket;

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
        buffer_(std::max(setup_->options.max_message_bytes + 4, kReadBytes)) {
    set_->Insert(this);
  }
  ~Newcomer() override { set_->Erase(this); }

  void Start() {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto endpoint = socket_.remote_endpoint(ignored);
    peer_ = endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
    EndAfter(ticket_.guest() ? std::min(setup_->options.setup_timeout, kGuestTimeout)
                             : setup_->options.setup_timeout);
    socket_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
                              self->buffer_.commit(bytes);
                              if (self->late_) return self->StartTcp();
                              if (!error && bytes > 0) self->Sniff();
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
  void BecomeGuest() override { ticket_.BecomeGuest(); }

 private:
  // Little enough that what has come behind a request to upgrade fits into Beast's own buffer with it.
  static constexpr size_t kReadBytes = 1024;
  // A guest that says nothing until then is sent away: in Pomelo's way over TCP, for it may wait for a word.
  static constexpr std::chrono::milliseconds kGuestTimeout{3'000};
  static constexpr std::chrono::milliseconds kLookAgain{100};
  // What a client may go on sending after its answer.
  static constexpr size_t kMaxUnread = size_t{1} * 1024 * 1024;

  // What it waits for: the first byte, the rest of a head, or something that needs no word at its end.
  enum class Stage { kSilent, kHead, kDone };

  void EndAfter(Clock::duration time) {
    patience_ = time;
    give_up_at_ = set_->Now() + time;
    Watch(time);
  }

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
    if (left > -patience_ && HasUnread(Handle())) return Watch(kLookAgain);
    if (stage_ == Stage::kDone || (stage_ == Stage::kSilent && !ticket_.guest())) return GiveUp();
    // The read that is under way ends with this, and the answer waits for it.
    late_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  int Handle() {
    return stream_ ? stream_->next_layer().next_layer().native_handle() : socket_.native_handle();
  }

  void Sniff() {
    stage_ = Stage::kDone;
    const char first = *static_cast<const char*>(buffer_.cdata().data());
    if (first >= 1 && first <= 5) return StartTcp();
    if ((first >= 'A' && first <= 'Z') || first == '\r') return StartHttp();
    // Neither a Pomelo package nor HTTP: nothing that this client would understand can be said.
    GiveUp();
  }

  void StartTcp() {
    timer_.cancel();
    const bool guest = ticket_.guest();
    Run(guest, MakeTcpConnection({set_, std::move(ticket_), std::move(peer_)}, std::move(socket_),
                                 std::move(buffer_)));
  }

  void StartHttp() {
    const auto data = buffer_.cdata();
    head_.assign(static_cast<const char*>(data.data()), data.size());
    buffer_ = {};
    stage_ = Stage::kHead;
    ScanHead();
  }

  void ReadHead() {
    socket_.async_read_some(asio::buffer(chunk_),
                            [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
                              if (self->late_)
                                return self->Refuse({408, "The rest of the request did not come in time."});
                              if (error) return;
                              self->head_.append(self->chunk_.data(), bytes);
                              self->ScanHead();
                            });
  }

  void ScanHead() {
    const HeadScanner::Result found = scanner_.Scan(head_);
    if (found.fault) return Refuse(*found.fault);
    if (found.size == 0) return ReadHead();
    const auto head = ParseHead(std::string_view(head_).substr(0, found.size));
    if (const auto* fault = std::get_if<HttpFault>(&head)) return Refuse(*fault);
    auto verdict = JudgeRequest(std::get<HttpHead>(head), setup_->options.subprotocols);
    if (auto* refusal = std::get_if<HttpResponse>(&verdict)) return Answer(*refusal);
    if (auto* page = std::get_if<PageRequest>(&verdict)) return Answer(Page(page->target));
    Upgrade(std::get<UpgradeRequest>(verdict), std::string_view(head_).substr(found.size));
  }

  HttpResponse Page(std::string_view target) const {
    const bool draining = setup_->seats->draining();
    if (PathOf(target) == kHealthPath) return HealthResponse(draining);
    if (ticket_.guest() && !draining) return FullResponse();
    return setup_->http(target);
  }

  // Beast gets a request of our making instead of the client's, whose forms it knows less of, and what the
  // client has sent behind it.
  void Upgrade(const UpgradeRequest& upgrade, std::string_view behind) {
    stage_ = Stage::kDone;
    accepted_ = fmt::format(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
        "{}\r\nSec-WebSocket-Version: 13\r\n\r\n{}",
        upgrade.key, behind);
    stream_.emplace(std::move(socket_));
    stream_->set_option(websocket::stream_base::timeout{setup_->options.setup_timeout,
                                                        websocket::stream_base::none(), false});
    stream_->set_option(
        websocket::stream_base::decorator([protocol = upgrade.protocol](websocket::response_type& response) {
          response.set(beast::http::field::server, "hubbub/" HUBBUB_VERSION);
          response.set(beast::http::field::date, HttpDate(absl::Now()));
          if (!protocol.empty()) response.set(beast::http::field::sec_websocket_protocol, protocol);
        }));
    stream_->auto_fragment(false);
    stream_->binary(true);
    stream_->read_message_max(setup_->options.max_message_bytes);
    stream_->async_accept(asio::buffer(accepted_),
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (!error) self->StartWebSocket();
                          });
  }

  void StartWebSocket() {
    timer_.cancel();
    const bool guest = ticket_.guest();
    SocketConnection::Client client{set_, std::move(ticket_), std::move(peer_)};
    Run(guest,
        MakeWebSocketConnection(std::move(client), *std::move(stream_), setup_->options.max_message_bytes));
  }

  void Run(bool guest, const std::shared_ptr<SocketConnection>& connection) {
    if (set_->ended()) return;
    if (guest) return SendAway(*connection, setup_->seats->reason());
    connection->Start(setup_->make_protocol(set_->loop(), *connection));
  }

  void Refuse(const HttpFault& fault) { Answer(FaultResponse(fault)); }

  void Answer(const HttpResponse& response) {
    stage_ = Stage::kDone;
    const std::string_view request =
        std::string_view(head_).substr(std::min(head_.find_first_not_of("\r\n"), head_.size()));
    answer_ = WriteResponse(response, /*with_body=*/!request.starts_with("HEAD "), absl::Now());
    EndAfter(setup_->options.setup_timeout);
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](boost::system::error_code error, size_t) {
                        if (error) return;
                        boost::system::error_code ignored;
                        self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
                        self->WaitForEnd(0);
                      });
  }

  // The timer, or the client's close, ends it: a close with bytes unread would take the answer back.
  void WaitForEnd(size_t unread) {
    if (unread > kMaxUnread) return GiveUp();
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this(), unread](
                                                      boost::system::error_code error, size_t bytes) {
      if (!error) self->WaitForEnd(unread + bytes);
    });
  }

  const std::shared_ptr<ConnectionSet> set_;
  Ticket ticket_;
  const std::shared_ptr<const SetUp> setup_;
  Socket socket_;
  Timer timer_;
  Clock::duration patience_{};
  Clock::time_point give_up_at_;
  std::string peer_;
  beast::flat_buffer buffer_;  // What has come, until it is known to be HTTP.
  Stage stage_ = Stage::kSilent;
  bool late_ = false;  // The time for the head, or for a guest's first byte, is over.
  std::array<char, kReadBytes> chunk_;
  std::string head_;  // With what has come behind it.
  HeadScanner scanner_;
  std::string answer_;
  std::string accepted_;  // What Beast is given.
  std::optional<WebSocketStream> stream_;
};

}  // namespace

void SetUpConnection(std::shared_ptr<ConnectionSet> set, Ticket ticket, Socket socket,
                     std::shared_ptr<const SetUp> setup) {
  if (set->ended()) return;
  std::make_shared<Newcomer>(std::move(set), std::move(ticket), std::move(socket), std::move(setup))->Start();
}

}  // namespace hubbub::net
