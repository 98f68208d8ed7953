#include "services/http2/link.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "boost/asio/buffer.hpp"
#include "fmt/format.h"
#include "services/base/host_port.h"

namespace hubbub::http2 {
namespace {

using boost::system::error_code;
using net::Clock;

// As services/rpc/channel has them for gRPC's library: a connection must be made, and the server have said
// its first word, within kConnect; a peer that hangs is noticed within 3 seconds.
constexpr std::chrono::milliseconds kConnect{1'000};
constexpr std::chrono::milliseconds kQuiet{1'200};   // Then the server is asked for a sign of life,
constexpr std::chrono::milliseconds kAnswer{1'500};  // and has this long for it.
// If the server's bytes have come and this loop has not read them yet.
constexpr std::chrono::milliseconds kLookAgain{100};

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr size_t kOutputBytes = size_t{256} << 10;

}  // namespace

Link::Link(net::Loop& loop, const net::asio::ip::tcp::endpoint& server)
    : loop_(loop),
      server_(server),
      address_(HostPort(server.address().to_string(), server.port())),
      socket_(loop.executor()),
      timer_(loop.executor()),
      connection_(address_, [this] { FlushSoon(); }),
      read_(kReadBytes),
      started_(Clock::now()),
      heard_(started_) {}

void Link::Connect() {
  socket_.async_connect(server_, [self = shared_from_this()](error_code error) { self->OnConnected(error); });
  Watch();
}

void Link::OnConnected(error_code error) {
  if (closed_) return;
  if (error)
    return Close(absl::UnavailableError(fmt::format("cannot connect to {}: {}", address_, error.message())));
  socket_.set_option(net::asio::ip::tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
  if (error) return Close(absl::UnavailableError(error.message()));
  connected_ = true;
  Read();
  Flush();
}

std::shared_ptr<Call> Link::Open(CallRequest request, CallEvents events) {
  loop_.AssertHere();
  return connection_.Open(std::move(request), std::move(events));
}

void Link::Close(const absl::Status& status) {
  loop_.AssertHere();
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
  const auto self = shared_from_this();  // Users who are told may drop it.
  connection_.Fail(status);
}

void Link::Read() {
  socket_.async_read_some(
      net::asio::buffer(read_), [self = shared_from_this()](error_code error, size_t bytes) {
        if (self->closed_) return;
        if (error) {
          return self->Close(absl::UnavailableError(
              fmt::format("the connection to {} has ended: {}", self->address_, error.message())));
        }
        self->heard_ = Clock::now();
        self->asked_ = false;
        const absl::Status status = self->connection_.Receive({self->read_.data(), bytes});
        if (!status.ok()) return self->Close(status);
        if (!self->closed_) self->Read();
      });
}

void Link::FlushSoon() {
  if (closed_ || std::exchange(flush_is_due_, true)) return;
  net::asio::post(loop_.context(), [self = shared_from_this()] { self->Flush(); });
}

void Link::Flush() {
  flush_is_due_ = false;
  if (closed_ || !connected_) return;
  do {
    // Also if the socket takes nothing: calls may have ended.
    const absl::Status status = connection_.TakeOutput(output_, kOutputBytes);
    if (closed_) return;
    if (!status.ok()) {
      error_code ignored;
      socket_.write_some(net::asio::buffer(output_), ignored);  // Its last words.
      return Close(status);
    }
  } while (!output_.empty() && !writing_ && WriteNow());
}

bool Link::WriteNow() {
  error_code error;
  const size_t written = socket_.write_some(net::asio::buffer(output_), error);
  if (error && error != net::asio::error::would_block) {
    Close(
        absl::UnavailableError(fmt::format("the connection to {} has ended: {}", address_, error.message())));
    return false;
  }
  output_.erase(0, written);
  if (output_.empty()) return true;
  writing_ = true;
  socket_.async_wait(net::Socket::wait_write, [self = shared_from_this()](error_code) {
    self->writing_ = false;
    self->Flush();
  });
  return false;
}

void Link::Watch() {
  Clock::time_point due = heard_ + kQuiet;
  if (!connection_.ready()) due = started_ + kConnect;
  if (asked_) due = pinged_ + kAnswer;
  timer_.expires_at(std::max(due, Clock::now() + kLookAgain));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->closed_) self->OnWatch();
  });
}

void Link::OnWatch() {
  const Clock::time_point now = Clock::now();
  if (!connection_.ready()) {
    if (now - started_ >= kConnect && !HasUnread())
      return Close(absl::UnavailableError(fmt::format("{} does not answer", address_)));
  } else if (asked_) {
    if (now - pinged_ >= kAnswer && !HasUnread())
      return Close(absl::UnavailableError(fmt::format("{} does not answer any more", address_)));
  } else if (now - heard_ >= kQuiet) {
    asked_ = true;
    pinged_ = now;
    connection_.Ping();
  }
  Watch();
}

bool Link::HasUnread() {
  error_code error;
  return connected_ && socket_.available(error) > 0 && !error;
}

}  // namespace hubbub::http2
