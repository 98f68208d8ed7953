#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "boost/asio/buffer.hpp"
#include "boost/system/error_code.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace hubbub::net {

namespace asio = boost::asio;

// The server's side of one client's TLS (RFC 8446, RFC 5246), over the client's socket. It reads and writes
// the socket itself and never waits: each call does what the socket allows, and says what it waits for. Once
// a call has returned an error, so do all that follow. The socket must be open at each call.
// Thread-compatible.
class TlsSession {
 public:
  enum class Wait { kNothing, kReadable, kWritable };
  struct Step {
    Wait wait = Wait::kNothing;       // kNothing: the call is done. Otherwise make the same call again then.
    size_t bytes = 0;                 // Of the client's and of the server's, not those of TLS.
    boost::system::error_code error;  // asio::error::eof: the client sends no more.
  };

  // The most that is encrypted at a time, a record's.
  static constexpr size_t kRecordBytes = size_t{16} * 1024;
  // What a client may send for its handshake; real ones need less than 4 KiB.
  static constexpr size_t kMaxHandshakeBytes = size_t{32} * 1024;
  // The messages of TLS itself that a client may cause after it: changes of keys (RFC 8446, 4.6.3), and
  // alerts. Real ones need one of them in some 400 GB. Who causes more has broken off.
  static constexpr int kMostMessages = 100;

  // `received`: what was read from the socket already.
  TlsSession(ssl_ctx_st* context, int socket, std::string_view received);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // The handshake, which comes first.
  Step Accept();
  Step Read(asio::mutable_buffer room);
  // `bytes` tells how much has left, which may be a part. The rest must come again, at least as far as it was
  // given: a record that has left in part is finished first. So what TLS still holds is not counted as sent.
  Step Write(std::span<const asio::const_buffer> buffers);
  // Tells the client that no more bytes follow (close_notify). Nothing may be written after it.
  Step Close();

  // Bytes were read from the socket that Read has not returned.
  bool has_unread() const;
  // After Accept: the client has come back with a ticket.
  bool resumed() const;

 private:
  struct Transport;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  Step Outcome(int result);

  const std::unique_ptr<Transport> transport_;
  const std::unique_ptr<ssl_st, Free> ssl_;
};

// True for an error that a client has made by what it sent: its bytes are no TLS, or not such as is taken
// here.
bool IsTlsFault(const boost::system::error_code& error);

}  // namespace hubbub::net
