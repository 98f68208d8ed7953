#include "services/net/client_stream.h"

#include <utility>

#include "boost/asio/error.hpp"
#include "boost/asio/post.hpp"
#include "services/net/socket_state.h"

namespace hubbub::net {

ClientStream::ClientStream(Socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

void ClientStream::StartTls(std::unique_ptr<TlsSession> tls,
                            absl::AnyInvocable<void(boost::system::error_code)> then) {
  tls_ = std::move(tls);
  Repeat(
      /*at_once=*/true, [](TlsSession& own) { return own.Accept(); },
      [then = std::move(then)](boost::system::error_code error, size_t) mutable { then(error); });
}

bool ClientStream::HasUnread() {
  return net::HasUnread(socket_.native_handle()) || (tls_ != nullptr && tls_->has_unread());
}

void ClientStream::ReadTls(asio::mutable_buffer room, Handler handler) {
  Repeat(
      /*at_once=*/true, [room](TlsSession& tls) { return tls.Read(room); }, std::move(handler));
}

size_t ClientStream::WriteTlsNow(std::span<const asio::const_buffer> buffers) {
  // A closed socket's number may be another one's by now.
  return socket_.is_open() ? tls_->Write(buffers).bytes : 0;
}

void ClientStream::WriteTls(std::vector<asio::const_buffer> buffers, Handler handler) {
  auto attempt = [rest = std::move(buffers), first = size_t{0},
                  written = size_t{0}](TlsSession& tls) mutable {
    TlsSession::Step step = tls.Write(std::span(rest).subspan(first));
    written += step.bytes;
    size_t bytes = step.bytes;
    while (first < rest.size() && bytes >= rest[first].size()) bytes -= rest[first++].size();
    if (first < rest.size()) rest[first] += bytes;
    step.bytes = written;
    return step;
  };
  Repeat(/*at_once=*/true, std::move(attempt), std::move(handler));
}

void ClientStream::AsyncEndWriting(absl::AnyInvocable<void()> then) {
  const auto end = [this] {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  };
  if (tls_ == nullptr) {
    end();
    return then();
  }
  Repeat(
      /*at_once=*/true, [](TlsSession& tls) { return tls.Close(); },
      [end, then = std::move(then)](boost::system::error_code, size_t) mutable {
        end();
        then();
      });
}

ClientStream ClientStream::MoveTo(const Executor& executor, boost::system::error_code& error) {
  Socket moved(executor);
  const auto protocol = socket_.local_endpoint(error).protocol();
  const int handle = error ? -1 : socket_.release(error);
  if (!error) moved = Socket(executor, protocol, handle);
  ClientStream stream(std::move(moved));
  stream.tls_ = std::move(tls_);
  return stream;
}

void ClientStream::Repeat(bool at_once, Attempt attempt, Handler handler) {
  const TlsSession::Step step =
      socket_.is_open() ? attempt(*tls_) : TlsSession::Step{.error = asio::error::operation_aborted};
  if (step.wait == TlsSession::Wait::kNothing) {
    if (!at_once) return handler(step.error, step.bytes);
    return asio::post(socket_.get_executor(),
                      [handler = std::move(handler), step]() mutable { handler(step.error, step.bytes); });
  }
  socket_.async_wait(step.wait == TlsSession::Wait::kReadable ? Socket::wait_read : Socket::wait_write,
                     [this, attempt = std::move(attempt),
                      handler = std::move(handler)](boost::system::error_code error) mutable {
                       if (error) return handler(error, 0);
                       Repeat(/*at_once=*/false, std::move(attempt), std::move(handler));
                     });
}

}  // namespace hubbub::net
