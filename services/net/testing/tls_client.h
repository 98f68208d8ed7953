#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/testing/tcp_client.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace hubbub::net {

// A blocking TLS client to 127.0.0.1, for tests: OpenSSL's, which believes any certificate.
// Thread-compatible; errors as TcpClient's, and what OpenSSL says.
class TlsClient {
 public:
  struct Options {
    int version = 0;  // Of TLS, as OpenSSL's constants; 0: any.
    std::string alpn = {};
    std::shared_ptr<ssl_session_st> session = {};  // To resume.
    int receive_buffer = 0;                        // TcpClient's.
    std::string before = {};                       // Bytes that are sent before TLS begins.
  };

  // Connects and shakes hands.
  explicit TlsClient(uint16_t port, const Options& options);
  explicit TlsClient(uint16_t port) : TlsClient(port, Options{}) {}
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void Send(std::string_view bytes);
  // Exactly so many bytes; fewer if the server ends.
  std::string Read(size_t size);
  std::string ReadUntil(std::string_view end);
  std::string ReadToEnd();
  // The server has said that nothing follows (close_notify). Known once a Read has come to the end.
  bool got_close_notify() const;
  void SendCloseNotify();
  // Asks for another handshake, of TLS 1.2, and reads until the server has answered; true if it shakes hands.
  bool Renegotiate();

  // Changes the key that it sends with, of TLS 1.3.
  void UpdateKey();

  std::string server_name() const;
  std::string protocol() const;
  std::string alpn() const;
  bool resumed() const;
  // The ticket; of TLS 1.3, once something was read.
  std::shared_ptr<ssl_session_st> session() const;
  testing::TcpClient& socket() { return socket_; }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };

  // Writes what OpenSSL has to say, and reads a record if OpenSSL wants one. False at the end.
  bool Exchange(int result);
  void Flush();
  std::string ReadSome(size_t most);

  testing::TcpClient socket_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace hubbub::net
