#include "services/net/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "services/base/files.h"
#include "services/base/log.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} * 1024 * 1024;
constexpr std::string_view kHttp11 = "\x08http/1.1";
// Of TLS 1.2. Clients that know none of them know no TLS 1.2 of this decade.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Those of TLS 1.3, the cheapest first: a server is asked to encrypt more than any client.
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    kFree(value);
  }
};
using OwnedBio = std::unique_ptr<BIO, Freed<BIO_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using OwnedX509 = std::unique_ptr<X509, Freed<X509_free>>;

// What OpenSSL says of the call that has failed just now.
std::string Reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason == nullptr ? "OpenSSL does not say why" : reason;
  ERR_clear_error();
  return text;
}

OwnedBio BioOf(const std::string& text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Instead of OpenSSL's question at the terminal.
int NoPassword(char*, int, int, void*) {
  return -1;
}

// A client that speaks other protocols alone is told so (RFC 7301, 3.2); one that names none speaks what it
// likes, as those of Pomelo do.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const auto* const ours = reinterpret_cast<const unsigned char*>(kHttp11.data());
  if (SSL_select_next_proto(&found, chosen_size, ours, kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> NewContext() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* const made = context.get();
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(made, kCiphers);
  SSL_CTX_set_ciphersuites(made, kCiphers13);
  // A client without instructions for AES puts ChaCha20 first, and gets it. A stream that ends without
  // close_notify is one that ends with FIN: all that is spoken here tells its own ends.
  SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                SSL_OP_IGNORE_UNEXPECTED_EOF);
  // What a retry passes may lie elsewhere. A session that is silent has no buffers.
  SSL_CTX_set_mode(
      made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Whole records by one system call, instead of two for each.
  SSL_CTX_set_read_ahead(made, 1);
  // Tickets alone: the server keeps nothing of clients that have gone.
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  static constexpr std::string_view kSessionContext = "hubbub";
  SSL_CTX_set_session_id_context(made, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 kSessionContext.size());
  SSL_CTX_set_alpn_select_cb(made, ChooseProtocol, nullptr);
  return context;
}

absl::Status UseChain(SSL_CTX* context, const std::string& path, const std::string& text) {
  const OwnedBio bio = BioOf(text);
  const OwnedX509 own(PEM_read_bio_X509_AUX(bio.get(), nullptr, NoPassword, nullptr));
  if (own == nullptr)
    return absl::InvalidArgumentError(
        fmt::format("{} holds no certificate that can be read as PEM: {}", path, Reason()));
  if (SSL_CTX_use_certificate(context, own.get()) != 1)
    return absl::InvalidArgumentError(fmt::format("{} holds a certificate of no use: {}", path, Reason()));
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) == 1) continue;
    X509_free(next);
    return absl::InvalidArgumentError(fmt::format("{} holds a chain of no use: {}", path, Reason()));
  }
  // The end of the file is no error; half a certificate is.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return absl::InvalidArgumentError(
        fmt::format("{} holds a certificate behind its first that cannot be read: {}", path, Reason()));
  ERR_clear_error();
  return absl::OkStatus();
}

absl::Status UseKey(SSL_CTX* context, const TlsFiles& files, const std::string& text) {
  const OwnedBio bio = BioOf(text);
  const OwnedKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    if (text.find("ENCRYPTED") != std::string::npos) {
      ERR_clear_error();
      return absl::InvalidArgumentError(fmt::format(
          "{} is encrypted, and a server cannot ask for a password: openssl pkey -in {} writes it "
          "without",
          files.key, files.key));
    }
    return absl::InvalidArgumentError(
        fmt::format("{} holds no private key that can be read as PEM: {}", files.key, Reason()));
  }
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        fmt::format("the key in {} does not belong to the certificate in {}", files.key, files.certificate));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return absl::InvalidArgumentError(fmt::format("{} holds a key of no use: {}", files.key, Reason()));
  return absl::OkStatus();
}

int64_t EndOf(const X509* certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return 0;
  return static_cast<int64_t>(::timegm(&end));
}

std::string NameOf(const X509* certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0,
                     XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string("no name");
}

}  // namespace

struct TlsContext::Certificate {
  std::shared_ptr<SSL_CTX> context;
  std::string name;
  int64_t end = 0;
};

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Open(TlsFiles files) {
  std::unique_ptr<TlsContext> made(new TlsContext(std::move(files)));
  auto certificate = made->Read();
  if (!certificate.ok()) return certificate.status();
  made->Use(*std::move(certificate));
  return made;
}

TlsContext::TlsContext(TlsFiles files)
    // First, so that a change while they are read is seen by the first Poll.
    : files_(std::move(files)), seen_stamp_(Stamp()), read_stamp_(seen_stamp_) {}
TlsContext::~TlsContext() = default;

std::string TlsContext::Stamp() const {
  return FileStamp(files_.certificate) + FileStamp(files_.key);
}

absl::StatusOr<TlsContext::Certificate> TlsContext::Read() {
  const auto chain = ReadFile(files_.certificate, kMaxFileBytes);
  if (!chain.ok()) return chain.status();
  const auto key = ReadFile(files_.key, kMaxFileBytes);
  if (!key.ok()) return key.status();
  Certificate made{.context = NewContext(), .name = {}};
  ticket_keys_.UseIn(made.context.get());
  absl::Status status = UseChain(made.context.get(), files_.certificate, *chain);
  if (status.ok()) status = UseKey(made.context.get(), files_, *key);
  if (!status.ok()) return status;
  const X509* const own = SSL_CTX_get0_certificate(made.context.get());
  made.name = NameOf(own);
  made.end = EndOf(own);
  return made;
}

void TlsContext::Use(Certificate certificate) {
  const absl::Time end = absl::FromUnixSeconds(certificate.end);
  const std::string day = absl::FormatTime("%Y-%m-%d %H:%M UTC", end, absl::UTCTimeZone());
  if (end < absl::Now())
    spdlog::warn("TLS: the certificate of {} in {} has ended on {}", certificate.name, files_.certificate,
                 day);
  else
    spdlog::info("TLS: the certificate is that of {}, until {}", certificate.name, day);
  certificate_end_ = certificate.end;
  MutexLock lock(mu_);
  context_ = std::move(certificate.context);
}

std::unique_ptr<TlsSession> TlsContext::NewSession(int socket, std::string_view received) const {
  std::shared_ptr<SSL_CTX> context;
  {
    MutexLock lock(mu_);
    context = context_;
  }
  return std::make_unique<TlsSession>(context.get(), socket, received);
}

void TlsContext::Poll() {
  std::string stamp = Stamp();
  const bool still = stamp == seen_stamp_;
  seen_stamp_ = std::move(stamp);
  if (!still || seen_stamp_ == read_stamp_) return;
  read_stamp_ = seen_stamp_;
  auto certificate = Read();
  if (certificate.ok()) return Use(*std::move(certificate));
  spdlog::error("TLS: the certificate has changed and cannot be used, so the one before stays in use: {}",
                std::string(certificate.status().message()));
}

void TlsContext::LogFault(std::string_view peer, std::string_view reason) const {
  const auto left_out = lines_.Admit("handshake", LineLimit::Clock::now());
  if (!left_out) return;
  spdlog::warn("TLS: the handshake of {} has failed: {}{}", peer, reason,
               *left_out == 0 ? "" : fmt::format(" ({} lines like this were left out)", *left_out));
}

}  // namespace hubbub::net
