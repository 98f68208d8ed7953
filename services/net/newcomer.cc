#include "services/net/newcomer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "services/net/http_session.h"
#include "services/net/proxy_header.h"

namespace hubbub::net {
namespace {

// A guest that says nothing until then is sent away: in Pomelo's way over TCP, for it may wait for a word.
constexpr std::chrono::milliseconds kGuestTimeout{3'000};
// The first byte of TLS (RFC 8446, 5.1).
constexpr char kTlsHandshake = 0x16;

std::string ReasonOf(const boost::system::error_code& error) {
  if (error == asio::error::eof) return "the client has closed the connection before its end";
  if (error == asio::error::operation_aborted) return "the client has not ended it in time";
  return error.message();
}

}  // namespace

Newcomer::Newcomer(std::shared_ptr<Arrival> arrival)
    : arrival_(std::move(arrival)),
      buffer_(std::max(arrival_->setup().options.max_message_bytes + 4,
                       kMaxProxyHeaderBytes + HttpSession::kReadBytes)) {}

void Newcomer::Start() {
  arrival_->loop().AssertHere();
  const std::chrono::milliseconds timeout = arrival_->setup().options.setup_timeout;
  arrival_->OnLate([self = weak_from_this()] {
    if (const auto newcomer = self.lock()) newcomer->OnLate();
  });
  arrival_->EndAfter(arrival_->ticket().guest() ? std::min(timeout, kGuestTimeout) : timeout);
  Read();
}

void Newcomer::Read() {
  arrival_->stream().async_read_some(
      buffer_.prepare(HttpSession::kReadBytes),
      [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
        self->buffer_.commit(bytes);
        if (self->late_) return self->arrival_->StartTcp(std::move(self->buffer_));
        if (!error && bytes > 0 && self->TakeProxyHeader()) self->Sniff();
      });
}

bool Newcomer::TakeProxyHeader() {
  if (!arrival_->by_proxy() || has_proxy_header_) return true;
  const auto data = buffer_.cdata();
  ProxyHeader header = ReadProxyHeader({static_cast<const char*>(data.data()), data.size()});
  switch (header.kind) {
    case ProxyHeader::Kind::kNone:
      return true;
    case ProxyHeader::Kind::kFault:
      arrival_->GiveUp();
      return false;
    case ProxyHeader::Kind::kIncomplete:
      Read();
      return false;
    case ProxyHeader::Kind::kWhole:
      break;
  }
  has_proxy_header_ = true;
  if (!header.own && !arrival_->StandFor(std::move(header.client))) return false;
  buffer_.consume(header.size);
  if (buffer_.size() > 0) return true;
  Read();
  return false;
}

void Newcomer::OnLate() {
  if (!arrival_->ticket().guest()) return arrival_->GiveUp();
  // The read that is under way ends with this, and the answer waits for it.
  late_ = true;
  boost::system::error_code ignored;
  arrival_->socket().cancel(ignored);
}

void Newcomer::Sniff() {
  const auto data = buffer_.cdata();
  const std::string_view bytes(static_cast<const char*>(data.data()), data.size());
  const char first = bytes.front();
  const bool secure = arrival_->stream().secure();
  if (first == kTlsHandshake && !secure && options().tls != nullptr) return ShakeHands();
  if (first >= 1 && first <= 5 && arrival_->setup().tcp.make != nullptr) {
    if (secure || options().allow_plain) return arrival_->StartTcp(std::move(buffer_));
    return arrival_->RefuseTcp(std::move(buffer_), "tls");
  }
  if ((first >= 'A' && first <= 'Z') || first == '\r')
    return std::make_shared<HttpSession>(arrival_, std::string(bytes))->Start();
  // Nothing that this client would understand can be said.
  arrival_->GiveUp();
}

void Newcomer::ShakeHands() {
  // A proxy says who its client is before TLS. What is within is the client's own word.
  has_proxy_header_ = true;
  const auto data = buffer_.cdata();
  auto tls = options().tls->NewSession(arrival_->socket().native_handle(),
                                       {static_cast<const char*>(data.data()), data.size()});
  buffer_.consume(data.size());
  arrival_->stream().StartTls(std::move(tls), [self = shared_from_this()](boost::system::error_code error) {
    self->OnHandshake(error);
  });
}

void Newcomer::OnHandshake(boost::system::error_code error) {
  auto& handshakes = arrival_->traffic().handshakes;
  const auto count = [&](TlsHandshake kind) { handshakes[static_cast<size_t>(kind)].Add(); };
  if (!error) {
    count(arrival_->stream().resumed() ? TlsHandshake::kResumed : TlsHandshake::kFull);
    return late_ ? arrival_->GiveUp() : Read();
  }
  if (!arrival_->ended()) {
    count(TlsHandshake::kFailed);
    options().tls->LogFault(arrival_->peer(), ReasonOf(error));
  }
  arrival_->GiveUp();
}

}  // namespace hubbub::net
