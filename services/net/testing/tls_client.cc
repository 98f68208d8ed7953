#include "services/net/testing/tls_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace hubbub::net {

void TlsClient::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}
void TlsClient::Free::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

TlsClient::TlsClient(uint16_t port, const Options& options)
    : socket_(port, options.receive_buffer), context_(SSL_CTX_new(TLS_client_method())) {
  // So that it offers what no server should take.
  SSL_CTX_set_security_level(context_.get(), 0);
  SSL_CTX_set_min_proto_version(context_.get(), options.version);
  SSL_CTX_set_max_proto_version(context_.get(), options.version);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  if (!options.alpn.empty()) {
    std::string wire(1, static_cast<char>(options.alpn.size()));
    wire += options.alpn;
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
  }
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session.get());
  if (!options.before.empty()) socket_.Send(options.before);
  ERR_clear_error();
  while (true) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    if (!Exchange(result)) throw std::runtime_error("the server has closed the connection in the handshake");
  }
  Flush();
}

TlsClient::~TlsClient() {
  // Otherwise OpenSSL takes the session for one that has failed, and does not resume it.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void TlsClient::Flush() {
  BIO* const out = SSL_get_wbio(ssl_.get());
  std::string bytes(BIO_ctrl_pending(out), '\0');
  if (bytes.empty()) return;
  BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  socket_.Send(bytes);
}

bool TlsClient::Exchange(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_ZERO_RETURN) return false;
  if (error != SSL_ERROR_WANT_READ) {
    const char* const reason = ERR_reason_error_string(ERR_peek_error());
    throw std::runtime_error(reason == nullptr ? "OpenSSL does not say why" : reason);
  }
  Flush();
  std::string record = socket_.Read(5);
  if (record.size() < 5) return false;
  const auto length = static_cast<size_t>(static_cast<unsigned char>(record[3])) << 8U |
                      static_cast<unsigned char>(record[4]);
  record += socket_.Read(length);
  BIO_write(SSL_get_rbio(ssl_.get()), record.data(), static_cast<int>(record.size()));
  return true;
}

void TlsClient::Send(std::string_view bytes) {
  ERR_clear_error();
  if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0)
    throw std::runtime_error("cannot write to the server");
  Flush();
}

std::string TlsClient::ReadSome(size_t most) {
  std::array<char, 4096> room;
  ERR_clear_error();
  while (true) {
    const int result = SSL_read(ssl_.get(), room.data(), static_cast<int>(std::min(most, room.size())));
    if (result > 0) return {room.data(), static_cast<size_t>(result)};
    if (!Exchange(result)) return {};
  }
}

std::string TlsClient::Read(size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::string part = ReadSome(size - bytes.size());
    if (part.empty()) break;
    bytes += part;
  }
  return bytes;
}

std::string TlsClient::ReadUntil(std::string_view end) {
  std::string bytes;
  while (!bytes.ends_with(end)) {
    const std::string part = ReadSome(1);
    if (part.empty()) break;
    bytes += part;
  }
  return bytes;
}

std::string TlsClient::ReadToEnd() {
  std::string bytes;
  for (std::string part = ReadSome(4096); !part.empty(); part = ReadSome(4096)) bytes += part;
  return bytes;
}

bool TlsClient::got_close_notify() const {
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void TlsClient::SendCloseNotify() {
  SSL_shutdown(ssl_.get());
  Flush();
}

bool TlsClient::Renegotiate() {
  ERR_clear_error();
  if (SSL_renegotiate(ssl_.get()) != 1) throw std::runtime_error("OpenSSL does not ask");
  while (true) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return true;
    try {
      if (!Exchange(result)) return false;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
}

void TlsClient::UpdateKey() {
  ERR_clear_error();
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl_.get()) != 1)
    throw std::runtime_error("OpenSSL does not change the key");
  Flush();
}

std::string TlsClient::server_name() const {
  std::array<char, 256> name{};
  X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
  return name.data();
}

std::string TlsClient::protocol() const {
  return SSL_get_version(ssl_.get());
}

std::string TlsClient::alpn() const {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
  return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(chosen), size);
}

bool TlsClient::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::shared_ptr<SSL_SESSION> TlsClient::session() const {
  return {SSL_get1_session(ssl_.get()), SSL_SESSION_free};
}

}  // namespace hubbub::net
