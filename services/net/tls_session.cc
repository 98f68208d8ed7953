#include "services/net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "boost/asio/error.hpp"
#include "boost/asio/ssl/error.hpp"

namespace hubbub::net {
namespace {

// The next bytes of several buffers in one piece: as they are, or copied together if they are short.
class Gather {
 public:
  explicit Gather(std::span<const asio::const_buffer> buffers) : rest_(buffers) {}

  // At most TlsSession::kRecordBytes. The same, or more, at each call until Skip.
  std::string_view Next() {
    while (!rest_.empty() && at_ == rest_.front().size()) {
      rest_ = rest_.subspan(1);
      at_ = 0;
    }
    if (rest_.empty()) return {};
    const size_t first = rest_.front().size() - at_;
    if (rest_.size() == 1 || first >= copy_.size())
      return {static_cast<const char*>(rest_.front().data()) + at_, std::min(first, copy_.size())};
    size_t size = 0;
    size_t from = at_;
    for (const asio::const_buffer& buffer : rest_) {
      const size_t part = std::min(buffer.size() - from, copy_.size() - size);
      if (part > 0) std::memcpy(copy_.data() + size, static_cast<const char*>(buffer.data()) + from, part);
      size += part;
      from = 0;
      if (size == copy_.size()) break;
    }
    return {copy_.data(), size};
  }

  void Skip(size_t bytes) {
    while (bytes > 0) {
      const size_t part = std::min(bytes, rest_.front().size() - at_);
      bytes -= part;
      at_ += part;
      if (at_ < rest_.front().size()) return;
      rest_ = rest_.subspan(1);
      at_ = 0;
    }
  }

 private:
  std::span<const asio::const_buffer> rest_;
  size_t at_ = 0;                                    // Within the first of them.
  std::array<char, TlsSession::kRecordBytes> copy_;  // Not cleared: it is large, and most writes are short.
};

}  // namespace

// What OpenSSL reads from and writes to. Not its own BIO for sockets, which knows nothing of bytes that were
// read before, and whose writes end the process with SIGPIPE.
struct TlsSession::Transport {
  const int socket;
  std::string received;  // Read before; `taken` of it are OpenSSL's.
  size_t taken = 0;
  size_t handshake_bytes = 0;
  int messages = 0;  // Of TLS itself, since the handshake.
  bool shakes_hands = true;
  bool ended = false;  // The client sends no more.
  int error = 0;       // errno of the last call that has failed for good.

  static Transport& Of(BIO* bio) { return *static_cast<Transport*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* room, int size) {
    BIO_clear_retry_flags(bio);
    Transport& self = Of(bio);
    if (size <= 0) return 0;
    if ((self.shakes_hands && self.handshake_bytes > kMaxHandshakeBytes) || self.messages > kMostMessages) {
      self.error = EMSGSIZE;
      return -1;
    }
    ssize_t got = 0;
    if (self.taken < self.received.size()) {
      got = static_cast<ssize_t>(self.received.copy(room, static_cast<size_t>(size), self.taken));
      self.taken += static_cast<size_t>(got);
      if (self.taken == self.received.size()) self.received = {};
    } else {
      got = ::recv(self.socket, room, static_cast<size_t>(size), MSG_DONTWAIT);
    }
    if (self.shakes_hands && got > 0) self.handshake_bytes += static_cast<size_t>(got);
    if (got == 0) self.ended = true;
    if (got < 0 && self.MayRetry()) BIO_set_retry_read(bio);
    return static_cast<int>(got);
  }

  // Of each message, and of parts of records, which have types of their own.
  static void Count(int, int, int type, const void*, size_t, SSL*, void* self) {
    const bool counts = type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT;
    if (counts && !static_cast<Transport*>(self)->shakes_hands) ++static_cast<Transport*>(self)->messages;
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    Transport& self = Of(bio);
    const ssize_t sent = ::send(self.socket, bytes, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && self.MayRetry()) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return Of(bio).ended ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  bool MayRetry() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return true;
    error = errno;
    return false;
  }

  // OpenSSL's kind of a class, which lasts as long as the process.
  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client socket");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

void TlsSession::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsSession::TlsSession(SSL_CTX* context, int socket, std::string_view received)
    : transport_(new Transport{.socket = socket, .received = std::string(received)}), ssl_(SSL_new(context)) {
  BIO* const bio = BIO_new(Transport::Method());
  BIO_set_data(bio, transport_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  SSL_set_msg_callback(ssl_.get(), Transport::Count);
  SSL_set_msg_callback_arg(ssl_.get(), transport_.get());
}

TlsSession::~TlsSession() = default;

TlsSession::Step TlsSession::Accept() {
  ERR_clear_error();
  const Step step = Outcome(SSL_do_handshake(ssl_.get()));
  if (step.wait != Wait::kNothing) return step;
  transport_->shakes_hands = false;
  return {.bytes = 0, .error = step.error};
}

TlsSession::Step TlsSession::Read(asio::mutable_buffer room) {
  if (room.size() == 0) return {};
  ERR_clear_error();
  const size_t size = std::min(room.size(), kRecordBytes);
  return Outcome(SSL_read(ssl_.get(), room.data(), static_cast<int>(size)));
}

TlsSession::Step TlsSession::Write(std::span<const asio::const_buffer> buffers) {
  Gather gather(buffers);
  Step all;
  for (std::string_view next = gather.Next(); !next.empty(); next = gather.Next()) {
    ERR_clear_error();
    const Step step = Outcome(SSL_write(ssl_.get(), next.data(), static_cast<int>(next.size())));
    all.wait = step.wait;
    all.error = step.error;
    if (step.bytes == 0) return all;
    all.bytes += step.bytes;
    gather.Skip(step.bytes);
  }
  return all;
}

TlsSession::Step TlsSession::Close() {
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  // 0: the client's own close_notify has not come, which nobody waits for.
  return result == 0 ? Step{} : Outcome(result);
}

TlsSession::Step TlsSession::Outcome(int result) {
  Step step;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      step.bytes = static_cast<size_t>(result);
      break;
    case SSL_ERROR_WANT_READ:
      step.wait = Wait::kReadable;
      break;
    case SSL_ERROR_WANT_WRITE:
      step.wait = Wait::kWritable;
      break;
    case SSL_ERROR_ZERO_RETURN:
      step.error = asio::error::eof;
      break;
    case SSL_ERROR_SYSCALL:
      step.error = transport_->error == 0
                       ? make_error_code(asio::error::eof)
                       : boost::system::error_code(transport_->error, boost::system::system_category());
      break;
    default:
      step.error = {static_cast<int>(ERR_peek_error()), asio::error::get_ssl_category()};
      break;
  }
  // The thread's queue of errors is for gRPC's TLS as well.
  ERR_clear_error();
  return step;
}

bool TlsSession::has_unread() const {
  return SSL_has_pending(ssl_.get()) == 1 || transport_->taken < transport_->received.size();
}

bool TlsSession::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

bool IsTlsFault(const boost::system::error_code& error) {
  return error.category() == asio::error::get_ssl_category();
}

}  // namespace hubbub::net
