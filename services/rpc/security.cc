#include "services/rpc/security.h"

#include <functional>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "services/base/files.h"
#include "services/rpc/access.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

// gRPC has no shorter one.
constexpr unsigned kRefreshSeconds = 1;

// Takes a server for one of the suite if its certificate says so. That the authority has signed it, gRPC has
// found out before.
class ServerVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* status) override {
    for (const grpc::string_ref& uri : request->uri_names()) {
      const auto grant = GrantOfUri({uri.data(), uri.size()});
      if (grant && IsServer(grant->role)) return true;
    }
    *status = {grpc::StatusCode::UNAUTHENTICATED,
               "the certificate at this address is not that of a gate, a connector or a chat server"};
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}
};

}  // namespace

std::string Security::StampOf(const CertificateFiles& files) {
  return fmt::format("{} {} {}", FileStamp(files.certificate), FileStamp(files.key),
                     FileStamp(files.authority));
}

absl::StatusOr<Certificate> Security::Check(const SecurityOptions& options) {
  auto certificate = ReadCertificate(options.files, absl::ToUnixSeconds(absl::Now()));
  if (!certificate.ok()) return certificate.status();
  if (absl::Status status = CheckHolder(*certificate, options.role, options.id); !status.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", options.files.certificate, std::string(status.message())));
  }
  return certificate;
}

absl::StatusOr<std::unique_ptr<Security>> Security::Open(const SecurityOptions& options) {
  std::string stamp = StampOf(options.files);
  const auto certificate = Check(options);
  if (!certificate.ok()) return certificate.status();
  std::unique_ptr<Tokens> tokens;
  if (!options.tokens.empty()) {
    auto opened = Tokens::Open(options.tokens);
    if (!opened.ok()) return opened.status();
    tokens = *std::move(opened);
  }
  return std::unique_ptr<Security>(
      new Security(options, std::move(stamp), certificate->expires_s, std::move(tokens)));
}

Security::Security(SecurityOptions options, std::string stamp, int64_t expires_s,
                   std::unique_ptr<Tokens> tokens)
    : options_(std::move(options)),
      stamp_(std::move(stamp)),
      expires_s_(expires_s),
      tokens_(std::move(tokens)),
      provider_(std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          options_.files.key, options_.files.certificate, options_.files.authority, kRefreshSeconds)) {}

std::shared_ptr<grpc::ServerCredentials> Security::ServerCredentials() const {
  grpc::experimental::TlsServerCredentialsOptions options(provider_);
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(tokens_ == nullptr
                                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  auto credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<Access>(tokens_.get()));
  return credentials;
}

std::shared_ptr<grpc::ChannelCredentials> Security::ChannelCredentials() const {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider_);
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_certificate_verifier(grpc::experimental::ExternalCertificateVerifier::Create<ServerVerifier>());
  options.set_check_call_host(false);
  return grpc::experimental::TlsCredentials(options);
}

void Security::Poll() {
  if (tokens_ != nullptr) tokens_->Poll();
  std::string stamp = StampOf(options_.files);
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  const auto certificate = Check(options_);
  if (!certificate.ok()) {
    spdlog::error(
        "the certificates for gRPC have changed and cannot be used; connections that are open stay, and new "
        "ones may fail until this is mended: {}",
        std::string(certificate.status().message()));
    return;
  }
  expires_s_ = certificate->expires_s;
  spdlog::info("the certificates for gRPC have changed: this server's is valid until {}",
               absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(certificate->expires_s),
                                absl::UTCTimeZone()));
}

}  // namespace hubbub::rpc
