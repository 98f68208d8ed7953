#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/base/line_limit.h"
#include "services/base/mutex.h"
#include "services/net/ticket_keys.h"
#include "services/net/tls_session.h"

namespace hubbub::net {

// PEM files. The certificate's file holds the server's own first, then those that lead to its root.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

// What all TLS sessions of a server have in common: its certificate, read again when its files change, the
// protocols that it speaks, and the keys of its tickets. TLS 1.2 and 1.3 with forward secrecy and AEAD
// ciphers alone (RFC 9325), without renegotiation, compression and early data. Thread-safe, but for Poll,
// which is for one thread. Outlives the listener that has it.
class TlsContext {
 public:
  // INVALID_ARGUMENT or NOT_FOUND names the file and says what is wrong with it.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Open(TlsFiles files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // For a client whose first bytes, `received`, were read from its socket. It keeps the certificate of now.
  std::unique_ptr<TlsSession> NewSession(int socket, std::string_view received) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the files again when they have changed and then stayed the same from one call to the next: who
  // writes them may write one after the other. What cannot be used is logged once, and the certificate before
  // stays. Sessions go on with the one that they began with. Several times a second.
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

  // When the certificate ends, in seconds of Unix time.
  int64_t certificate_end() const { return certificate_end_; }

  // Logs that a handshake has failed, unless too many have lately.
  void LogFault(std::string_view peer, std::string_view reason) const;

 private:
  struct Certificate;

  explicit TlsContext(TlsFiles files);

  std::string Stamp() const;
  absl::StatusOr<Certificate> Read();
  void Use(Certificate certificate) ABSL_LOCKS_EXCLUDED(mu_);

  const TlsFiles files_;
  TicketKeys ticket_keys_;
  mutable LineLimit lines_;
  std::string seen_stamp_;  // Of the files, at the last Poll.
  std::string read_stamp_;  // When they were read last.
  std::atomic<int64_t> certificate_end_ = 0;
  mutable Mutex mu_;
  std::shared_ptr<ssl_ctx_st> context_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::net
