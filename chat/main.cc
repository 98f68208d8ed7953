// hubbub-chat: owns rooms, orders what happens there, and tells the connectors.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "chat/chat_metrics.h"
#include "chat/chat_server.h"
#include "fmt/format.h"
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
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "chat-server-1", "This server's id in the directory");
ABSL_FLAG(std::string, listen, "",
          "The address to listen on; empty means this server's host in --config, and every IPv4 address with "
          "--directory=dns");
ABSL_FLAG(std::string, duplicate_user, "refuse",
          "What happens when a user comes into a room by a second session without the token of the first: "
          "refuse (the "
          "second), replace (the first), or allow (both)");
ABSL_FLAG(
    absl::Duration, connector_grace, absl::Seconds(5),
    "A connector whose stream broke has so long to resume it before its users leave their rooms; and the "
    "name of a user who was cut off is kept so long, at most, for the return");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10),
          "On SIGTERM, SIGINT or SIGHUP, rooms have so long to go to other chat servers, and streams to end");
ABSL_FLAG(uint16_t, metrics_port, 0, "Shows metrics to Prometheus at http://HOST:PORT/metrics; 0 means not");

namespace {

using hubbub::chat::DuplicateUser;

constexpr const char* kName = "hubbub-chat";
// A change of the directory takes effect within this; what is due by time is looked at once a second.
constexpr std::chrono::milliseconds kPoll{250};
constexpr int kPollsPerTick = 4;

DuplicateUser DuplicateUserOrDie(std::string_view word) {
  if (word == "refuse") return DuplicateUser::kRefuse;
  if (word == "replace") return DuplicateUser::kReplace;
  if (word == "allow") return DuplicateUser::kAllow;
  hubbub::Die(kName, absl::InvalidArgumentError(
                         fmt::format("--duplicate_user must be refuse, replace or allow, not \"{}\"", word)));
}

}  // namespace

int main(int argc, char** argv) {
  hubbub::ParseFlags(
      kName,
      "owns rooms, orders what happens there, and tells the connectors.\n\n  hubbub-chat --id chat-server-1 "
      "--config deploy/servers.json",
      argc, argv);
  hubbub::RequireFlags(kName, {hubbub::rpc::CheckServerFlags(),
                               hubbub::CheckFlag(FLAGS_connector_grace, absl::ZeroDuration(), absl::Hours(1)),
                               hubbub::CheckFlag(FLAGS_drain_timeout, absl::ZeroDuration(), absl::Hours(1))});
  hubbub::SetUpProgram(absl::GetFlag(FLAGS_id));
  const hubbub::rpc::LibraryLogs library_logs;
  const hubbub::FileShares files = hubbub::ShareFilesOfProcess(/*max_connections=*/0);

  const hubbub::rpc::CallbackThreads callback_threads;
  auto opened = hubbub::OpenDirectory(hubbub::DirectoryOptionsFromFlags(
      hubbub::ServerKind::kChat, absl::GetFlag(FLAGS_id), /*client_port=*/0));
  if (!opened.ok()) hubbub::Die(kName, opened.status());
  hubbub::Directory& directory = *opened->directory;
  const hubbub::ServerInfo& self = opened->self;
  hubbub::IdentityService identity_service(opened->identity);

  hubbub::chat::ChatServerOptions options;
  options.id = self.id;
  const std::string listen = absl::GetFlag(FLAGS_listen);
  options.listen_host = !listen.empty() ? listen : opened->listen_host;
  options.listen_port = self.port;
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.extras = hubbub::rpc::ServerExtrasFromFlags(files.grpc);
  options.extras.services = {&identity_service};
  hubbub::Metrics metrics;
  const hubbub::rpc::CallMetrics call_metrics(
      metrics, {"hubbub.chat.v1.ChatService", "hubbub.directory.v1.IdentityService"});
  options.extras.call_metrics = &call_metrics;
  options.rooms.duplicate_user = DuplicateUserOrDie(absl::GetFlag(FLAGS_duplicate_user));
  options.leases.grace_ms = absl::ToInt64Milliseconds(absl::GetFlag(FLAGS_connector_grace));

  auto chat = hubbub::chat::ChatServer::Start(options, directory.servers());
  if (!chat.ok()) hubbub::Die(kName, chat.status());
  hubbub::WarnOfRoot();

  hubbub::AddProcessMetrics(metrics, self, directory);
  hubbub::chat::AddChatMetrics(metrics, **chat);
  std::unique_ptr<hubbub::MetricsServer> metrics_server;
  if (const uint16_t port = absl::GetFlag(FLAGS_metrics_port); port != 0)
    metrics_server = hubbub::MetricsServer::Start(metrics, options.listen_host, port);

  hubbub::PrintReady(self.id, fmt::format("{}:{}", self.host, (*chat)->port()), "");
  directory.OnChange([&](const auto& servers) { (*chat)->Update(servers); });
  int ticks = 0;
  hubbub::RunUntilSignal(kPoll, [&] {
    directory.Poll();
    if (++ticks % kPollsPerTick == 0) (*chat)->Tick();
  });
  spdlog::info("{} is shutting down with {} rooms", self.id, (*chat)->rooms());
  (*chat)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_timeout)));
  return 0;
}
