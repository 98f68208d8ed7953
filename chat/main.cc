// hubbub-chat: owns rooms, orders what happens there, and tells the connectors.
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "chat/chat_metrics.h"
#include "chat/chat_server.h"
#include "chat/store/store_copy.h"
#include "fmt/format.h"
#include "services/base/host_port.h"
#include "services/program/process.h"
#include "services/program/server_flags.h"
#include "spdlog/spdlog.h"

ABSL_FLAG(std::string, id, "chat-server-1", "This server's id in the directory");
ABSL_FLAG(std::string, duplicate_user, "refuse",
          "What happens when a user enters a room by a second session without the token of the first: refuse "
          "(the second), replace (the first), or allow (both)");
ABSL_FLAG(int, max_room_bytes_per_second, 128 << 20,
          "Bytes a second that one room's messages may take, each counted once for each member, and twice as "
          "many at once; more are answered with code 429. 0 means no bound");
ABSL_FLAG(absl::Duration, connector_grace, absl::Seconds(5),
          "Time that a connector has to resume a broken stream before its users leave their rooms; also the "
          "longest time for which the name of a user who was cut off is kept");
ABSL_FLAG(std::string, store, "memory:",
          "What decides which chat server has which rooms: sqlite:PATH, for chat servers of one machine; "
          "postgres://[USER@]HOST[:PORT]/DATABASE, whose password is in PGPASSWORD, PGPASSFILE or "
          "--store_password_file; or memory:, for a chat server that is alone");
ABSL_FLAG(
    std::string, history, "durable",
    "With a store, where messages are: durable: in the store before anybody sees them, so that the end of a "
    "chat server loses none; memory: in the chat server alone, which is faster, and what it has acknowledged "
    "is lost with it. The same for all chat servers. With --store=memory: it is memory");
ABSL_FLAG(int64_t, history_messages, 100'000,
          "With durable history: how many messages of a room the store keeps; 0: all");
ABSL_FLAG(absl::Duration, history_age, absl::ZeroDuration(),
          "With durable history: how long the store keeps a message; 0: for good");
ABSL_FLAG(
    std::string, store_sync, "full",
    "With --store=sqlite: full waits for the disk at each commit; normal survives the end of a process, "
    "but not a power cut");
ABSL_FLAG(std::string, store_password_file, "",
          "A file with the password for --store=postgres:, read at each connect");
ABSL_FLAG(
    std::string, copy_from, "",
    "Copies what was said from this store, a URL as --store has it, to the one of --store, which is made, "
    "and ends. No chat server may use either of them meanwhile");
ABSL_FLAG(std::string, suite, "hubbub", "The name of the suite, which the store must have too");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(10),
          "Time that rooms have to move to other chat servers, and streams to end, after SIGTERM, SIGINT or "
          "SIGHUP");

namespace hubbub::chat {
namespace {

constexpr program::ServerProgram kProgram = {
    .name = "hubbub-chat", .kind = directory::ServerKind::kChat, .service = "hubbub.chat.v1.ChatService"};
// What is due by time is looked at in every fourth tick of ServerMain, once a second.
constexpr int kTicksPerRound = 4;

DuplicateUser DuplicateUserOrDie(std::string_view word) {
  if (word == "refuse") return DuplicateUser::kRefuse;
  if (word == "replace") return DuplicateUser::kReplace;
  if (word == "allow") return DuplicateUser::kAllow;
  program::Die(kProgram.name, absl::InvalidArgumentError(fmt::format(
                                  "--duplicate_user must be refuse, replace or allow, not \"{}\"", word)));
}

bool DurableOrDie() {
  const std::string history = absl::GetFlag(FLAGS_history);
  if (history == "durable" || history == "memory") return history == "durable";
  program::Die(kProgram.name, absl::InvalidArgumentError(
                                  fmt::format("--history must be durable or memory, not \"{}\"", history)));
}

StoreOptions StoreOrDie() {
  StoreOptions store;
  store.url = absl::GetFlag(FLAGS_store);
  if (store.url == "memory:") {
    store.url.clear();
  } else if (const absl::Status status = CheckStoreUrl(store.url); !status.ok()) {
    program::Die(kProgram.name,
                 absl::InvalidArgumentError(fmt::format("--store: {}", std::string(status.message()))));
  }
  const std::string sync = absl::GetFlag(FLAGS_store_sync);
  if (sync != "full" && sync != "normal") {
    program::Die(kProgram.name, absl::InvalidArgumentError(
                                    fmt::format("--store_sync must be full or normal, not \"{}\"", sync)));
  }
  store.sync = sync == "full";
  store.password_file = absl::GetFlag(FLAGS_store_password_file);
  store.suite = absl::GetFlag(FLAGS_suite);
  return store;
}

// For a suite that moves to another store.
int CopyToStore(const std::string& from) {
  const StoreOptions to = StoreOrDie();
  StoreOptions source = to;
  source.url = from;
  absl::Status status = CheckStoreUrl(from);
  if (status.ok() && to.url.empty())
    status = absl::InvalidArgumentError("--store must name the store to copy to");
  if (!status.ok()) {
    program::Die(kProgram.name,
                 absl::InvalidArgumentError(fmt::format("--copy_from: {}", std::string(status.message()))));
  }
  const auto copied = CopyStore(source, to);
  if (!copied.ok()) program::Die(kProgram.name, copied.status());
  fmt::print("copied {} messages of {} rooms from {} to {}\n", copied->messages, copied->rooms, from, to.url);
  return 0;
}

int Main(int argc, char** argv) {
  program::ParseFlags(
      kProgram.name,
      "owns rooms, orders what happens there, and tells the connectors.\n\n  hubbub-chat --id "
      "chat-server-1 --config deploy/servers.json",
      argc, argv);
  program::RequireFlags(
      kProgram.name, {program::CheckServerFlags(),
                      program::CheckFlag(FLAGS_history_messages, int64_t{0}, int64_t{1'000'000'000'000}),
                      program::CheckFlag(FLAGS_history_age, absl::ZeroDuration(), absl::Hours(24 * 36'500)),
                      program::CheckFlag(FLAGS_max_room_bytes_per_second, 0, 1 << 30),
                      program::CheckFlag(FLAGS_connector_grace, absl::ZeroDuration(), absl::Hours(1)),
                      program::CheckFlag(FLAGS_drain_timeout, absl::ZeroDuration(), absl::Hours(1))});
  if (const std::string from = absl::GetFlag(FLAGS_copy_from); !from.empty()) return CopyToStore(from);
  program::ServerMain main(kProgram, program::ReadServerFlags(absl::GetFlag(FLAGS_id), /*client_port=*/0),
                           /*max_connections=*/0);

  ChatServerOptions options;
  options.id = main.self().id;
  options.listen_host = main.listen_host();
  options.listen_port = main.self().port;
  options.host = main.self().host;
  options.store = StoreOrDie();
  options.durable = DurableOrDie();
  options.retention.max_messages = absl::GetFlag(FLAGS_history_messages);
  options.retention.max_age_ms = absl::ToInt64Milliseconds(absl::GetFlag(FLAGS_history_age));
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.extras = main.extras();
  options.rooms.room.max_fan_out_per_second = absl::GetFlag(FLAGS_max_room_bytes_per_second);
  options.rooms.duplicate_user = DuplicateUserOrDie(absl::GetFlag(FLAGS_duplicate_user));
  options.leases.grace_ms = absl::ToInt64Milliseconds(absl::GetFlag(FLAGS_connector_grace));

  auto started = ChatServer::Start(options, main.directory().servers());
  if (!started.ok()) program::Die(kProgram.name, started.status());
  ChatServer& chat = **started;
  AddChatMetrics(main.metrics(), chat);
  const auto metrics_server = main.ShowMetrics();

  int ticks = 0;
  main.Run(
      HostPort(main.self().host, chat.port()), "", [&](const auto& servers) { chat.Update(servers); },
      [&] {
        if (const auto failure = chat.failure()) program::Die(kProgram.name, *failure);
        if (++ticks % kTicksPerRound == 0) chat.Tick();
      });
  spdlog::info("{} is shutting down with {} rooms", main.self().id, chat.rooms());
  chat.Drain(absl::ToChronoMilliseconds(absl::GetFlag(FLAGS_drain_timeout)));
  return 0;
}

}  // namespace
}  // namespace hubbub::chat

int main(int argc, char** argv) {
  return hubbub::chat::Main(argc, argv);
}
