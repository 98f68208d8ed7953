#include "services/program/server_main.h"

#include <chrono>
#include <utility>
#include <vector>

#include "services/program/process.h"
#include "services/program/process_metrics.h"

namespace hubbub::program {
namespace {

// A change of the directory takes effect within this.
constexpr std::chrono::milliseconds kPoll{250};

}  // namespace

ServerMain::ServerMain(const ServerProgram& program, ServerFlags flags, int max_connections)
    : program_(program), flags_(std::move(flags)), max_connections_(max_connections) {
  BlockSignals();
  if (absl::Status log = SetUpLog(flags_.log); !log.ok()) Die("hubbub", log);
  RaiseFileLimit();
  if (flags_.sched_batch) UseBatchScheduling();
  library_logs_.emplace();
  files_ = ShareFilesOfProcess(max_connections);
  if (flags_.park_grpc_threads) callback_threads_.emplace();

  directory::DirectoryOptions options = flags_.directory;
  options.kind = program.kind;
  auto opened = directory::OpenDirectory(options);
  if (!opened.ok()) Die(program.name, opened.status());
  opened_ = *std::move(opened);
  identity_service_.emplace(opened_.identity);
  listen_host_ = flags_.listen.empty() ? opened_.listen_host : flags_.listen;
  call_metrics_.emplace(metrics_, std::vector<std::string>{std::string(program.service),
                                                           "hubbub.directory.v1.IdentityService"});
}

ServerMain::~ServerMain() = default;

rpc::ServerExtras ServerMain::extras() {
  rpc::ServerExtras extras = flags_.extras;
  extras.max_connections = files_.grpc;
  extras.services = {&*identity_service_};
  extras.call_metrics = &*call_metrics_;
  return extras;
}

std::unique_ptr<metrics::MetricsServer> ServerMain::ShowMetrics() {
  WarnOfRoot();
  if (max_connections_ > 0) WarnOfFewFiles(files_, max_connections_);
  AddProcessMetrics(metrics_, opened_.self, *opened_.directory);
  return flags_.metrics_port == 0
             ? nullptr
             : metrics::MetricsServer::Start(metrics_, listen_host_, flags_.metrics_port);
}

void ServerMain::Run(const std::string& grpc_address, const std::string& client_address,
                     directory::Directory::Listener update, const std::function<void()>& tick) {
  PrintReady(opened_.self.id, grpc_address, client_address);
  opened_.directory->OnChange(std::move(update));
  RunUntilSignal(kPoll, [&] {
    opened_.directory->Poll();
    tick();
  });
}

}  // namespace hubbub::program
