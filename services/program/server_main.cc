#include "services/program/server_main.h"

#include <openssl/crypto.h>

#include <chrono>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "services/program/process.h"
#include "services/program/process_metrics.h"
#include "services/rpc/channel.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

// A change of the directory takes effect within this.
constexpr std::chrono::milliseconds kPoll{250};

rpc::Role RoleOf(directory::ServerKind kind) {
  switch (kind) {
    case directory::ServerKind::kGate:
      return rpc::Role::kGate;
    case directory::ServerKind::kConnector:
      return rpc::Role::kConnector;
    case directory::ServerKind::kChat:
      break;
  }
  return rpc::Role::kChat;
}

// OpenSSL takes its state down when a process exits. gRPC's threads may be at work in it then, and what they
// have there is lost, or used although it is gone. Before the first use of OpenSSL.
void KeepOpenSslToTheEnd() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

// OK if the flags of gRPC's security go together.
absl::Status CheckSecurityFlags(const ServerFlags& flags) {
  const rpc::CertificateFiles& files = flags.grpc;
  const bool any = !files.certificate.empty() || !files.key.empty() || !files.authority.empty();
  const bool all = !files.certificate.empty() && !files.key.empty() && !files.authority.empty();
  if (any && !all)
    return absl::InvalidArgumentError(
        "--grpc_certificate, --grpc_key and --grpc_ca need each other: give all three");
  if (any && flags.grpc_plaintext)
    return absl::InvalidArgumentError(
        "--grpc_plaintext and --grpc_certificate contradict each other: give one of them");
  if (!any && !flags.grpc_tokens.empty()) {
    return absl::InvalidArgumentError(
        "--grpc_tokens needs --grpc_certificate, --grpc_key and --grpc_ca: on a plain connection others "
        "could read "
        "the tokens");
  }
  if (!any && flags.production && !flags.grpc_plaintext) {
    return absl::InvalidArgumentError(
        "--production needs --grpc_certificate, --grpc_key and --grpc_ca: without them everybody who reaches "
        "the gRPC "
        "port may do everything. Where something else sees to that, such as a service mesh, say "
        "--grpc_plaintext");
  }
  return absl::OkStatus();
}

}  // namespace

ServerMain::ServerMain(const ServerProgram& program, ServerFlags flags, int max_connections)
    : program_(program), flags_(std::move(flags)), max_connections_(max_connections) {
  KeepOpenSslToTheEnd();
  BlockSignals();
  if (absl::Status log = SetUpLog(flags_.log); !log.ok()) Die("hubbub", log);
  RaiseFileLimit();
  if (flags_.sched_batch) UseBatchScheduling();
  library_logs_.emplace();
  files_ = ShareFilesOfProcess(max_connections);
  if (flags_.park_grpc_threads) callback_threads_.emplace();

  security_ = OpenSecurity();
  if (security_ != nullptr) credentials_ = security_->ChannelCredentials();

  directory::DirectoryOptions options = flags_.directory;
  options.kind = program.kind;
  options.credentials = credentials_;
  auto opened = directory::OpenDirectory(options);
  if (!opened.ok()) Die(program.name, opened.status());
  opened_ = *std::move(opened);
  identity_service_.emplace(opened_.identity, opened_.directory.get());
  listen_host_ = flags_.listen.empty() ? opened_.listen_host : flags_.listen;
  call_metrics_.emplace(metrics_, std::vector<std::string>{std::string(program.service),
                                                           "hubbub.directory.v1.IdentityService"});
}

std::unique_ptr<rpc::Security> ServerMain::OpenSecurity() const {
  if (const absl::Status status = CheckSecurityFlags(flags_); !status.ok()) Die(program_.name, status);
  if (flags_.grpc.certificate.empty()) return nullptr;
  auto security = rpc::Security::Open({.files = flags_.grpc,
                                       .tokens = flags_.grpc_tokens,
                                       .role = RoleOf(program_.kind),
                                       .id = flags_.directory.id});
  if (!security.ok()) Die(program_.name, security.status());
  return *std::move(security);
}

void ServerMain::WarnIfPlain() const {
  if (security_ != nullptr) return;
  if (flags_.grpc_plaintext) {
    spdlog::info("gRPC is plain, as --grpc_plaintext says: who may reach its port may do everything");
  } else {
    spdlog::warn(
        "gRPC is open: everybody who reaches its port may do everything; --grpc_certificate demands "
        "certificates");
  }
}

rpc::ServerExtras ServerMain::extras() {
  rpc::ServerExtras extras = flags_.extras;
  extras.max_connections = files_.grpc;
  extras.services = {&*identity_service_};
  extras.call_metrics = &*call_metrics_;
  extras.listen_host = flags_.grpc_listen;
  extras.security = security_.get();
  extras.credentials = credentials_;
  return extras;
}

std::unique_ptr<MetricsServer> ServerMain::ShowMetrics() {
  WarnOfRoot();
  WarnIfPlain();
  if (max_connections_ > 0) WarnOfFewFiles(files_, max_connections_);
  AddProcessMetrics(metrics_, opened_.self, *opened_.directory);
  metrics_.AddGauge(
      "hubbub_grpc_certificate_expiry_timestamp_seconds",
      "When the certificate of this server's gRPC ends, in seconds since 1970; 0 without one",
      [this] { return security_ == nullptr ? 0.0 : static_cast<double>(security_->expires_s()); });
  if (flags_.metrics_port == 0) return nullptr;
  const std::string& host = flags_.metrics_listen.empty() ? listen_host_ : flags_.metrics_listen;
  return MetricsServer::Start(metrics_, host, flags_.metrics_port);
}

void ServerMain::Run(const std::string& grpc_address, const std::string& client_address,
                     directory::Directory::Listener update, const std::function<void()>& tick) {
  PrintReady(flags_.log, opened_.self.id, grpc_address, client_address);
  opened_.directory->OnChange(std::move(update));
  RunUntilSignal(kPoll, [&] {
    opened_.directory->Poll();
    if (security_ != nullptr) security_->Poll();
    memory_trim_.Tick(MemoryTrim::Clock::now());
    tick();
  });
}

}  // namespace hubbub::program
