// hubbub-connector: holds the WebSocket and TCP sessions of clients.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "connector/connector.h"
#include "connector/connector_metrics.h"
#include "services/base/cores.h"
#include "services/base/host_port.h"
#include "services/base/wait.h"
#include "services/program/client_flags.h"
#include "services/program/process.h"
#include "services/program/server_flags.h"
#include "services/program/thread_home.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "connector-server-1", "This server's id in the directory");
ABSL_FLAG(uint16_t, client_port, 3050, "With --directory=dns: the port for clients");
ABSL_FLAG(
    std::string, advertise, "",
    "The address that clients are told, as host or host:port: a name of this server, its machine's "
    "address, or a load balancer that all connectors share; empty means its own address in the directory");
ABSL_FLAG(
    bool, home_core, true,
    "With one loop: on a busy machine, keep all threads on one core at a time, chosen again as the load "
    "changes, while they need less than one core");
ABSL_FLAG(int, max_requests_per_second, 2000,
          "Requests a second of one session; more are answered with code 429");
ABSL_FLAG(
    int, max_bytes_per_second, 1 << 20,
    "Bytes a second that one session may send, and twice as many at once; more are answered with code 429");
ABSL_FLAG(bool, one_script_names, false,
          "Refuse names of users and rooms that mix scripts, such as Latin with Cyrillic letters, so that "
          "they look like others; "
          "what Japanese, Korean and Chinese are written in counts as one");
ABSL_FLAG(
    bool, grpc_library, false,
    "Let gRPC's library make the calls to chat servers, instead of this server's own loops; a message then "
    "costs a quarter more. With --grpc_certificate, and for chat servers that the directory has by name, it "
    "always does");
ABSL_FLAG(bool, use_dict, true, "Offer clients the dictionary that shortens routes");
ABSL_FLAG(int, heartbeat, 3, "Seconds between heartbeats; 0 means none");
ABSL_FLAG(absl::Duration, sign_in_timeout, absl::Seconds(10),
          "Time that a client has to enter its first room before it is closed");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10),
          "Time that sessions have to end after SIGTERM, SIGINT or SIGHUP");
ABSL_FLAG(std::vector<std::string>, old_clients, {},
          "Clients that are told to update (code 501): types, or types and versions, such as "
          "unity-socket,js-websocket/0.0.1");

namespace hubbub::connector {
namespace {

constexpr program::ServerProgram kProgram = {.name = "hubbub-connector",
                                             .kind = directory::ServerKind::kConnector,
                                             .service = "hubbub.connector.v1.ConnectorService"};

ConnectorOptions OptionsOf(program::ServerMain& main) {
  ConnectorOptions options{.self = main.self(),
                           .advertise_port = main.identity().client_port,
                           .listen_host = main.listen_host(),
                           .loops = absl::GetFlag(FLAGS_loops),
                           .subprotocols = absl::GetFlag(FLAGS_subprotocols),
                           .use_dict = absl::GetFlag(FLAGS_use_dict),
                           .use_protobuf = absl::GetFlag(FLAGS_use_protobuf)};
  options.self.client_host = main.identity().client_host;
  options.heartbeat.reset();
  if (const int heartbeat = absl::GetFlag(FLAGS_heartbeat); heartbeat > 0)
    options.heartbeat = std::chrono::seconds(heartbeat);
  options.sign_in_timeout = absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_sign_in_timeout));
  options.max_requests_per_second = absl::GetFlag(FLAGS_max_requests_per_second);
  options.max_bytes_per_second = absl::GetFlag(FLAGS_max_bytes_per_second);
  options.one_script = absl::GetFlag(FLAGS_one_script_names);
  options.old_clients = absl::GetFlag(FLAGS_old_clients);
  options.grpc_library = absl::GetFlag(FLAGS_grpc_library);
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.extras = main.extras();
  return options;
}

int Main(int argc, char** argv) {
  program::ParseFlags(kProgram.name,
                      "holds the WebSocket and TCP sessions of clients.\n\n  hubbub-connector --id "
                      "connector-server-1 --config deploy/servers.json",
                      argc, argv);
  program::RequireFlags(kProgram.name,
                        {program::CheckServerFlags(), program::CheckClientFlags(),
                         program::CheckFlag(FLAGS_max_requests_per_second, 1, 1'000'000),
                         program::CheckFlag(FLAGS_max_bytes_per_second, 1 << 17, 1 << 30),
                         program::CheckFlag(FLAGS_heartbeat, 0, 3'600),
                         program::CheckFlag(FLAGS_sign_in_timeout, absl::Seconds(1), absl::Hours(1)),
                         program::CheckFlag(FLAGS_drain_timeout, absl::ZeroDuration(), absl::Hours(1))});
  auto flags = program::ReadServerFlags(absl::GetFlag(FLAGS_id), absl::GetFlag(FLAGS_client_port));
  flags.directory.advertise = absl::GetFlag(FLAGS_advertise);
  program::ServerMain main(kProgram, std::move(flags), absl::GetFlag(FLAGS_max_connections));

  const auto sign_in = program::OpenSignIn();
  if (!sign_in.ok()) program::Die(kProgram.name, sign_in.status());
  const auto tls = program::OpenTls();
  if (!tls.ok()) program::Die(kProgram.name, tls.status());
  ConnectorOptions options = OptionsOf(main);
  options.clients = program::ClientPort(main.max_clients(), tls->get());
  options.sign_in = sign_in->get();
  // Asked before the threads are bound to some of them.
  const bool few_cores = UsableCores() < 4;
  auto started = Connector::Start(options, main.directory().servers());
  if (!started.ok()) program::Die(kProgram.name, started.status());
  program::WarnIfOpen(sign_in->get());
  Connector& connector = **started;
  AddConnectorMetrics(main.metrics(), connector, options.clients.max_connections);
  program::AddTlsMetrics(main.metrics(), tls->get());
  const auto metrics_server = main.ShowMetrics();

  // Scripts expect a suite to work once all its servers are ready. A chat server that is away does not delay
  // the others.
  WaitUntil([&] { return connector.Ready(); }, std::chrono::seconds(3));
  std::optional<program::ThreadHome> home;
  if (few_cores && options.loops <= 1 && absl::GetFlag(FLAGS_home_core)) home.emplace();
  main.Run(
      HostPort(main.self().host, connector.grpc_port()),
      HostPort(main.self().client_host, connector.client_port()),
      [&](const auto& servers) { connector.Update(servers); },
      [&] {
        if (home) home->Tick();
        connector.Tick();
        if (*sign_in != nullptr) (*sign_in)->Poll();
        if (*tls != nullptr) (*tls)->Poll();
      });
  spdlog::info("{} is shutting down with {} clients", main.self().id, connector.sessions());
  connector.Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_timeout)));
  return 0;
}

}  // namespace
}  // namespace hubbub::connector

int main(int argc, char** argv) {
  return hubbub::connector::Main(argc, argv);
}
