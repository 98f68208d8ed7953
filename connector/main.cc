// hubbub-connector: holds the WebSocket and TCP sessions of clients.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "connector/connector.h"
#include "connector/connector_metrics.h"
#include "services/cores.h"
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
#include "services/thread_home.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "connector-server-1", "This server's id in the directory");
ABSL_FLAG(std::string, listen, "",
          "The address to listen on; empty means this server's host in --config, and every IPv4 address with "
          "--directory=dns");
ABSL_FLAG(uint16_t, client_port, 3050, "With --directory=dns: the port for clients");
ABSL_FLAG(
    std::string, advertise, "",
    "The address that clients are told, as host or host:port: a name of this server, its machine's address, "
    "or a load balancer that all connectors share; empty means its own address in the directory");
ABSL_FLAG(int, loops, 0,
          "Event loops; 0 means half as many as cores that this process may use (affinity, the CPU limit of "
          "its container), and one at least");
ABSL_FLAG(bool, home_core, true,
          "With one loop: on a busy machine, keep all threads on one core at a time, chosen anew as the load "
          "changes, for as long as they need less than one");
ABSL_FLAG(int, max_connections, 100000,
          "Client connections at a time; further ones are told that it is full, and closed. Fewer if "
          "the hard limit of open files, less a reserve for gRPC and files, does not allow so many");
ABSL_FLAG(std::vector<std::string>, subprotocols, {"pomelo"},
          "WebSocket subprotocols: a client that asks for some gets the first of its own that stands here");
ABSL_FLAG(int, max_requests_per_second, 2000,
          "Requests a second of one session; more are answered with code 429");
ABSL_FLAG(bool, use_dict, true, "Offer clients the dictionary that shortens routes");
ABSL_FLAG(bool, use_protobuf, true, "Offer clients the protobuf dialect that shortens pushes");
ABSL_FLAG(int, heartbeat, 3, "Seconds between heartbeats; 0 means none");
ABSL_FLAG(absl::Duration, sign_in_timeout, absl::Seconds(10),
          "A client that has not entered a room by then is closed");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10),
          "On SIGTERM, SIGINT or SIGHUP, sessions have so long to end");
ABSL_FLAG(std::vector<std::string>, old_clients, {},
          "Clients that are told to update (code 501): types, or types and versions, such as "
          "unity-socket,js-websocket/0.0.1");
ABSL_FLAG(uint16_t, metrics_port, 0, "Shows metrics to Prometheus at http://HOST:PORT/metrics; 0 means not");

namespace {
constexpr const char* kName = "hubbub-connector";
}

int main(int argc, char** argv) {
  using hubbub::connector::Connector;
  hubbub::ParseFlags(
      kName,
      "holds the WebSocket and TCP sessions of clients.\n\n  hubbub-connector --id connector-server-1 "
      "--config deploy/servers.json",
      argc, argv);
  hubbub::RequireFlags(kName, {hubbub::rpc::CheckServerFlags(), hubbub::CheckFlag(FLAGS_loops, 0, 1'024),
                               hubbub::CheckFlag(FLAGS_max_connections, 1, 10'000'000),
                               hubbub::CheckFlag(FLAGS_max_requests_per_second, 1, 1'000'000),
                               hubbub::CheckFlag(FLAGS_heartbeat, 0, 3'600),
                               hubbub::CheckFlag(FLAGS_sign_in_timeout, absl::Seconds(1), absl::Hours(1)),
                               hubbub::CheckFlag(FLAGS_drain_timeout, absl::ZeroDuration(), absl::Hours(1))});
  hubbub::SetUpProgram(absl::GetFlag(FLAGS_id));
  const hubbub::rpc::LibraryLogs library_logs;
  const hubbub::FileShares files = hubbub::ShareFilesOfProcess(absl::GetFlag(FLAGS_max_connections));

  auto directory_options = hubbub::DirectoryOptionsFromFlags(
      hubbub::ServerKind::kConnector, absl::GetFlag(FLAGS_id), absl::GetFlag(FLAGS_client_port));
  directory_options.advertise = absl::GetFlag(FLAGS_advertise);
  const hubbub::rpc::CallbackThreads callback_threads;
  auto opened = hubbub::OpenDirectory(directory_options);
  if (!opened.ok()) hubbub::Die(kName, opened.status());
  hubbub::Directory& directory = *opened->directory;
  const hubbub::ServerInfo& self = opened->self;
  hubbub::IdentityService identity_service(opened->identity);

  hubbub::connector::ConnectorOptions options{.self = self, .listen_host = absl::GetFlag(FLAGS_listen)};
  if (options.listen_host.empty()) options.listen_host = opened->listen_host;
  options.self.client_host = opened->identity.client_host;
  options.advertise_port = opened->identity.client_port;
  options.loops = absl::GetFlag(FLAGS_loops);
  options.max_connections = files.clients;
  options.subprotocols = absl::GetFlag(FLAGS_subprotocols);
  options.max_requests_per_second = absl::GetFlag(FLAGS_max_requests_per_second);
  options.use_dict = absl::GetFlag(FLAGS_use_dict);
  options.use_protobuf = absl::GetFlag(FLAGS_use_protobuf);
  options.heartbeat = std::chrono::seconds(absl::GetFlag(FLAGS_heartbeat));
  if (*options.heartbeat <= std::chrono::seconds(0)) options.heartbeat.reset();
  options.sign_in_timeout = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_sign_in_timeout));
  options.old_clients = absl::GetFlag(FLAGS_old_clients);
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.extras = hubbub::rpc::ServerExtrasFromFlags(files.grpc);
  options.extras.services = {&identity_service};
  hubbub::Metrics metrics;
  const hubbub::rpc::CallMetrics call_metrics(
      metrics, {"hubbub.connector.v1.ConnectorService", "hubbub.directory.v1.IdentityService"});
  options.extras.call_metrics = &call_metrics;

  // Asked before the threads are bound to some of them.
  const bool small = hubbub::UsableCores() < 4 && options.loops <= 1;
  auto connector = Connector::Start(options, directory.servers());
  if (!connector.ok()) hubbub::Die(kName, connector.status());
  hubbub::WarnOfRoot();
  hubbub::WarnOfFewFiles(files, absl::GetFlag(FLAGS_max_connections));

  hubbub::AddProcessMetrics(metrics, self, directory);
  hubbub::connector::AddConnectorMetrics(metrics, **connector, options.max_connections);
  std::unique_ptr<hubbub::MetricsServer> metrics_server;
  if (const uint16_t port = absl::GetFlag(FLAGS_metrics_port); port != 0)
    metrics_server = hubbub::MetricsServer::Start(metrics, options.listen_host, port);

  // Whoever starts a suite expects it to work once all are ready. A chat server that is away does not hold up
  // the others.
  hubbub::WaitUntil([&] { return (*connector)->Ready(); }, std::chrono::seconds(3));
  hubbub::PrintReady(self.id, self.host + ":" + std::to_string((*connector)->grpc_port()),
                     self.client_host + ":" + std::to_string((*connector)->client_port()));
  directory.OnChange([&](const auto& servers) { (*connector)->Update(servers); });
  std::optional<hubbub::ThreadHome> home;
  if (small && absl::GetFlag(FLAGS_home_core)) home.emplace();
  hubbub::RunUntilSignal(std::chrono::milliseconds(250), [&] {
    if (home) home->Tick();
    directory.Poll();
    (*connector)->Tick();
  });
  spdlog::info("{} is shutting down with {} clients", self.id, (*connector)->sessions());
  (*connector)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_timeout)));
  return 0;
}
