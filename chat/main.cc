// hubbub-chat: owns rooms, orders what happens there, and tells the connectors.
#include <chrono>
#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/time/time.h"
#include "chat/chat_server.h"
#include "fmt/format.h"
#include "services/process.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "chat-server-1", "This server's id in the directory");
ABSL_FLAG(std::string, config, "deploy/servers.json",
          "The directory: a file in the shape of Pomelo's servers.json");
ABSL_FLAG(std::string, env, "development", "The environment within --config");
ABSL_FLAG(std::string, listen, "", "The address to listen on; empty means this server's host in --config");
ABSL_FLAG(std::string, duplicate_user, "refuse",
          "What happens when a user comes into a room by a second session without the token of the first: "
          "refuse (the "
          "second), replace (the first), or allow (both)");
ABSL_FLAG(absl::Duration, connector_grace, absl::Seconds(5),
          "A connector whose stream broke has so long to resume it before its users leave their rooms");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10),
          "On SIGTERM, rooms have so long to go to other chat servers, and streams to end");
ABSL_FLAG(bool, reflection, true, "Let grpcurl and the like ask which calls there are");
ABSL_FLAG(std::string, log_level, "info", "trace, debug, info, warn or error");

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
  absl::SetProgramUsageMessage(
      "owns rooms, orders what happens there, and tells the connectors.\n\n  hubbub-chat --id chat-server-1 "
      "--config deploy/servers.json");
  absl::ParseCommandLine(argc, argv);
  hubbub::BlockSignals();
  hubbub::SetUpLog(absl::GetFlag(FLAGS_log_level));

  auto directory = hubbub::Directory::Open(absl::GetFlag(FLAGS_config), absl::GetFlag(FLAGS_env));
  if (!directory.ok()) hubbub::Die(kName, directory.status());
  const auto self =
      hubbub::FindServer(*(*directory)->servers(), hubbub::ServerKind::kChat, absl::GetFlag(FLAGS_id));
  if (!self.ok()) hubbub::Die(kName, self.status());

  hubbub::chat::ChatServerOptions options;
  options.id = self->id;
  const std::string listen = absl::GetFlag(FLAGS_listen);
  options.listen_host = listen.empty() ? self->host : listen;
  options.listen_port = self->port;
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.rooms.duplicate_user = DuplicateUserOrDie(absl::GetFlag(FLAGS_duplicate_user));
  options.leases.grace_ms = absl::ToInt64Milliseconds(absl::GetFlag(FLAGS_connector_grace));

  auto chat = hubbub::chat::ChatServer::Start(options, (*directory)->servers());
  if (!chat.ok()) hubbub::Die(kName, chat.status());

  hubbub::PrintReady(self->id, fmt::format("{}:{}", self->host, (*chat)->port()), "");
  (*directory)->OnChange([&](const auto& servers) { (*chat)->Update(servers); });
  int ticks = 0;
  hubbub::RunUntilSignal(kPoll, [&] {
    (*directory)->Poll();
    if (++ticks % kPollsPerTick == 0) (*chat)->Tick();
  });
  spdlog::info("{} is shutting down with {} rooms", self->id, (*chat)->rooms());
  (*chat)->Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_timeout)));
  return 0;
}
