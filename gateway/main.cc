// hubbub-gate: tells each client which connector is its own, and serves the chat page.
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "gateway/gate.h"
#include "services/discovery/directory_flags.h"
#include "services/discovery/identity.h"
#include "services/file_limit.h"
#include "services/flags.h"
#include "services/metrics/metrics_server.h"
#include "services/metrics/process_metrics.h"
#include "services/process.h"
#include "services/program_flags.h"
#include "services/rpc/call_metrics.h"
#include "services/rpc/callback_threads.h"
#include "services/rpc/library_logs.h"
#include "services/rpc/server_flags.h"
#include "services/session/client_metrics.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "gate-server-1", "This server's id in the directory");
ABSL_FLAG(std::string, listen, "",
          "The address to listen on; empty means this server's host in --config, and every IPv4 address with "
          "--directory=dns");
ABSL_FLAG(uint16_t, client_port, 3014, "With --directory=dns: the port for clients");
ABSL_FLAG(int, loops, 0,
          "Event loops; 0 means half as many as cores that this process may use (affinity, the CPU limit of "
          "its container), and one at least");
ABSL_FLAG(int, max_connections, 100000,
          "Client connections at a time; further ones are told that it is full, and closed. Fewer if "
          "the hard limit of open files, less a reserve for gRPC and files, does not allow so many");
ABSL_FLAG(std::vector<std::string>, subprotocols, {"pomelo"},
          "WebSocket subprotocols: a client that asks for some gets the first of its own that stands here");
ABSL_FLAG(bool, use_protobuf, true, "Offer clients the protobuf dialect that shortens pushes");
ABSL_FLAG(bool, servers_page, true,
          "Show whoever reaches the client port which servers there are and how they do, at /servers");
ABSL_FLAG(uint16_t, metrics_port, 0, "Shows metrics to Prometheus at http://HOST:PORT/metrics; 0 means not");

namespace {
constexpr const char* kName = "hubbub-gate";
}

int main(int argc, char** argv) {
  using hubbub::gateway::Gate;
  hubbub::ParseFlags(
      kName,
      "tells each client which connector is its own, and serves the chat page.\n\n  hubbub-gate --id "
      "gate-server-1 --config deploy/servers.json",
      argc, argv);
  hubbub::RequireFlags(kName, {hubbub::rpc::CheckServerFlags(), hubbub::CheckFlag(FLAGS_loops, 0, 1'024),
                               hubbub::CheckFlag(FLAGS_max_connections, 1, 10'000'000)});
  hubbub::SetUpProgram(absl::GetFlag(FLAGS_id));
  const hubbub::rpc::LibraryLogs library_logs;
  const hubbub::FileShares files = hubbub::ShareFilesOfProcess(absl::GetFlag(FLAGS_max_connections));

  const hubbub::rpc::CallbackThreads callback_threads;
  auto opened = hubbub::OpenDirectory(hubbub::DirectoryOptionsFromFlags(
      hubbub::ServerKind::kGate, absl::GetFlag(FLAGS_id), absl::GetFlag(FLAGS_client_port)));
  if (!opened.ok()) hubbub::Die(kName, opened.status());
  hubbub::Directory& directory = *opened->directory;
  const hubbub::ServerInfo& self = opened->self;
  hubbub::IdentityService identity_service(opened->identity);

  hubbub::gateway::GateOptions options{.self = self, .listen_host = absl::GetFlag(FLAGS_listen)};
  if (options.listen_host.empty()) options.listen_host = opened->listen_host;
  options.loops = absl::GetFlag(FLAGS_loops);
  options.max_connections = files.clients;
  options.subprotocols = absl::GetFlag(FLAGS_subprotocols);
  options.use_protobuf = absl::GetFlag(FLAGS_use_protobuf);
  options.servers_page = absl::GetFlag(FLAGS_servers_page);
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.extras = hubbub::rpc::ServerExtrasFromFlags(files.grpc);
  options.extras.services = {&identity_service};
  hubbub::Metrics metrics;
  const hubbub::rpc::CallMetrics call_metrics(
      metrics, {"hubbub.gate.v1.GateService", "hubbub.directory.v1.IdentityService"});
  options.extras.call_metrics = &call_metrics;

  auto gate = Gate::Start(options, directory.servers());
  if (!gate.ok()) hubbub::Die(kName, gate.status());
  hubbub::WarnOfRoot();
  hubbub::WarnOfFewFiles(files, absl::GetFlag(FLAGS_max_connections));

  hubbub::AddProcessMetrics(metrics, self, directory);
  metrics.AddGauge("hubbub_sessions", "Client connections now", [&] { return (*gate)->sessions(); });
  hubbub::AddClientMetrics(
      metrics, [&] { return (*gate)->traffic(); }, [&] { return (*gate)->requests(); });
  metrics.AddGauge("hubbub_reachable_connectors", "Connectors that this gate can reach",
                   [&] { return static_cast<double>((*gate)->reachable_connectors()); });
  std::unique_ptr<hubbub::MetricsServer> metrics_server;
  if (const uint16_t port = absl::GetFlag(FLAGS_metrics_port); port != 0)
    metrics_server = hubbub::MetricsServer::Start(metrics, options.listen_host, port);
  directory.OnChange([&](const auto& servers) { (*gate)->Update(servers); });

  // Whoever starts a suite expects it to work once all are ready. A connector that is away does not hold up
  // the others.
  hubbub::WaitUntil([&] { return (*gate)->Ready(); }, std::chrono::seconds(3));
  hubbub::PrintReady(self.id, self.host + ":" + std::to_string((*gate)->grpc_port()),
                     self.client_host + ":" + std::to_string((*gate)->client_port()));
  hubbub::RunUntilSignal(std::chrono::milliseconds(250), [&] { directory.Poll(); });
  spdlog::info("{} is shutting down", self.id);
  return 0;
}
