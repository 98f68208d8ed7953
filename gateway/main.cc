// hubbub-gate: tells each client which connector is its own, and serves the chat page.
#include <chrono>
#include <optional>
#include <string>

#include "absl/flags/flag.h"
#include "gateway/gate.h"
#include "services/base/host_port.h"
#include "services/base/wait.h"
#include "services/client/client_metrics.h"
#include "services/directory/open_directory.h"
#include "services/program/client_flags.h"
#include "services/program/process.h"
#include "services/program/server_flags.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "gate-server-1", "This server's id in the directory");
ABSL_FLAG(uint16_t, client_port, 3014, "With --directory=dns: the port for clients");
ABSL_FLAG(bool, servers_page, false,
          "Show everybody who reaches the client port the servers and their state, at /servers");
ABSL_FLAG(std::string, operator_listen, "",
          "Show the servers and their state at this address, as host:port, and no more on the client port: "
          "one that operators alone reach. Empty: nowhere else");

namespace hubbub::gate {
namespace {

constexpr program::ServerProgram kProgram = {
    .name = "hubbub-gate", .kind = directory::ServerKind::kGate, .service = "hubbub.gate.v1.GateService"};

void AddGateMetrics(metrics::Metrics& metrics, const Gate& gate) {
  metrics.AddGauge("hubbub_sessions", "Client connections now", [&] { return gate.sessions(); });
  client::AddClientMetrics(
      metrics, [&] { return gate.traffic(); }, [&] { return gate.client_counts(); });
  metrics.AddGauge("hubbub_reachable_connectors", "Connectors that this gate can reach",
                   [&] { return static_cast<double>(gate.reachable_connectors()); });
}

// Where operators come to; nothing: nowhere. For few people, so for few connections.
absl::StatusOr<std::optional<net::ListenerOptions>> OperatorPort(const net::TlsContext* tls) {
  const std::string address = absl::GetFlag(FLAGS_operator_listen);
  if (address.empty()) return std::nullopt;
  const auto parsed = directory::ParseHostPort("--operator_listen", address);
  if (!parsed.ok()) return parsed.status();
  constexpr int kOperators = 100;
  net::ListenerOptions options = program::ClientPort(kOperators, tls);
  options.host = parsed->first;
  options.port = parsed->second;
  return options;
}

int Main(int argc, char** argv) {
  program::ParseFlags(
      kProgram.name,
      "tells each client which connector is its own, and serves the chat page.\n\n  hubbub-gate "
      "--id gate-server-1 --config deploy/servers.json",
      argc, argv);
  program::RequireFlags(kProgram.name, {program::CheckServerFlags(), program::CheckClientFlags()});
  program::ServerMain main(
      kProgram, program::ReadServerFlags(absl::GetFlag(FLAGS_id), absl::GetFlag(FLAGS_client_port)),
      absl::GetFlag(FLAGS_max_connections));

  const auto sign_in = program::OpenSignIn();
  if (!sign_in.ok()) program::Die(kProgram.name, sign_in.status());
  const auto tls = program::OpenTls();
  if (!tls.ok()) program::Die(kProgram.name, tls.status());
  const auto operators = OperatorPort(tls->get());
  if (!operators.ok()) program::Die(kProgram.name, operators.status());
  auto started = Gate::Start({.self = main.self(),
                              .listen_host = main.listen_host(),
                              .clients = program::ClientPort(main.max_clients(), tls->get()),
                              .loops = absl::GetFlag(FLAGS_loops),
                              .subprotocols = absl::GetFlag(FLAGS_subprotocols),
                              .use_protobuf = absl::GetFlag(FLAGS_use_protobuf),
                              .operators = *operators,
                              .servers_page = absl::GetFlag(FLAGS_servers_page),
                              .sign_in = sign_in->get(),
                              .reflection = absl::GetFlag(FLAGS_reflection),
                              .extras = main.extras()},
                             main.directory().servers());
  if (!started.ok()) program::Die(kProgram.name, started.status());
  program::WarnIfOpen(sign_in->get());
  Gate& gate = **started;
  AddGateMetrics(main.metrics(), gate);
  program::AddTlsMetrics(main.metrics(), tls->get());
  const auto metrics_server = main.ShowMetrics();

  // Scripts expect a suite to work once all its servers are ready. A connector that is away does not delay
  // the others.
  WaitUntil([&] { return gate.Ready(); }, std::chrono::seconds(3));
  main.Run(
      HostPort(main.self().host, gate.grpc_port()), HostPort(main.self().client_host, gate.client_port()),
      [&](const auto& servers) { gate.Update(servers); },
      [&] {
        if (*sign_in != nullptr) (*sign_in)->Poll();
        if (*tls != nullptr) (*tls)->Poll();
      });
  spdlog::info("{} is shutting down", main.self().id);
  return 0;
}

}  // namespace
}  // namespace hubbub::gate

int main(int argc, char** argv) {
  return hubbub::gate::Main(argc, argv);
}
