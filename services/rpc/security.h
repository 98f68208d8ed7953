#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "services/rpc/certificates.h"
#include "services/rpc/tokens.h"

namespace hubbub::rpc {

struct SecurityOptions {
  CertificateFiles files;
  std::string tokens = {};  // A file of bearer tokens (Tokens); empty: back ends show certificates.
  // What this server is; its certificate must say so.
  Role role = Role::kChat;
  std::string id = {};
};

// Mutual TLS of a server's gRPC, as server and as client of others: its certificate, whom it trusts, and what
// callers may do. gRPC reads the files again when they change; connections that are open stay. Thread-safe,
// but for Poll, which is for one thread. Outlives the server and all channels.
class Security {
 public:
  // The error is for the operator: a file that cannot be used, or a certificate that is not this server's.
  static absl::StatusOr<std::unique_ptr<Security>> Open(const SecurityOptions& options);

  // For the gRPC server: callers must show a certificate that the authority has signed, unless there are
  // tokens. Access decides what they may call.
  std::shared_ptr<grpc::ServerCredentials> ServerCredentials() const;
  // For channels to other servers, which must show a certificate of a server. Its name is not compared with
  // the address: servers find each other by addresses that change.
  std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials() const;

  // Null if there are none.
  const Tokens* tokens() const { return tokens_.get(); }
  // When this server's certificate ends: seconds since 1970, UTC.
  int64_t expires_s() const { return expires_s_; }

  // Reads tokens that have changed, and says in the log whether certificates that have changed can be used.
  // Several times a second.
  void Poll();

 private:
  Security(SecurityOptions options, std::string stamp, int64_t expires_s, std::unique_ptr<Tokens> tokens);

  static std::string StampOf(const CertificateFiles& files);
  static absl::StatusOr<Certificate> Check(const SecurityOptions& options);

  const SecurityOptions options_;
  std::string stamp_;
  std::atomic<int64_t> expires_s_;
  const std::unique_ptr<Tokens> tokens_;
  const std::shared_ptr<grpc::experimental::FileWatcherCertificateProvider> provider_;
};

}  // namespace hubbub::rpc
