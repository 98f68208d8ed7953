#include "chat/chat_server.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/clock.h"
#include "services/process.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

// A room is imported in one call, and may be large.
constexpr int kMaxMessageBytes = 32 << 20;

}  // namespace

ChatServer::ChatServer(const ChatServerOptions& options, const std::shared_ptr<const ServerList>& servers)
    : id_(options.id),
      servers_(servers),
      started_ms_(SteadyNowMs()),
      fence_(SteadyNowMs()),
      owners_(options.id, RandomId()),
      recovery_(options.recovery_limit_ms,
                [this](std::string_view room, std::vector<RoomClaim> claims) {
                  return rooms_.Recover(room, std::move(claims),
                                        [this](std::string_view name) { return owners_.Claim(name); });
                }),
      rooms_(RoomOptions(options)),
      leases_(options.id, rooms_, LeaseOptions(options)),
      peer_service_(options.id, owners_, rooms_, leases_, [this] { return Ready(); }),
      links_(options.id, owners_,
             {.on_lost =
                  [this](const std::string& id, uint64_t incarnation) {
                    servers_lost_.Add();
                    recovery_.Begin(id, incarnation, SteadyNowMs());
                  },
              .on_back = [this](const std::string& id) { recovery_.Cancel(id); },
              .stopped = [this] { return fence_.stopped(SteadyNowMs()); }}),
      hand_over_(options.id, rooms_, owners_,
                 [this](const std::string& server, const HandOver::Batch& batch, auto done) {
                   links_.Import(server, batch, std::move(done));
                 }),
      service_(options.id, rooms_, leases_,
               {.ready = [this] { return Ready(); },
                .is_lost =
                    [this](const std::string& id, uint64_t incarnation) {
                      return !owners_.MayBeReached(id) || owners_.IncarnationOf(id) != incarnation;
                    },
                .stub_of = [this](const std::string& id) { return links_.StubOf(id); },
                .incarnation = [this] { return owners_.incarnation(); },
                .recovery = &recovery_}),
      status_(options.id, [this](rpc::StatusService::Status& status) {
        status.set_draining(draining_);
        status.set_rooms(static_cast<uint32_t>(rooms_.rooms()));
        // Nobody counts members while it drains.
        status.set_members(rooms_.rooms() == 0 ? 0 : static_cast<uint32_t>(rooms_.members()));
      }) {
  owners_.OnChange([this] { peer_service_.Tell(); });
}

absl::StatusOr<std::unique_ptr<ChatServer>> ChatServer::Start(
    const ChatServerOptions& options, const std::shared_ptr<const ServerList>& servers) {
  std::unique_ptr<ChatServer> chat(new ChatServer(options, servers));
  ChatServer& self = *chat;
  // Before anybody can ask: this may be a restart, and the connectors know what was here.
  if (!servers->connectors.empty()) self.recovery_.Begin(self.id_, 0, SteadyNowMs());
  self.owners_.SetServers(servers->chats);
  rpc::ServerOptions server;
  server.host = options.listen_host;
  server.port = options.listen_port;
  server.reflection = options.reflection;
  server.max_message_bytes = kMaxMessageBytes;
  server.services = {&self.service_, &self.peer_service_, &self.status_};
  server.extras = options.extras;
  auto started = rpc::Server::Start(server);
  if (!started.ok()) return started.status();
  self.server_ = *std::move(started);
  self.links_.Update();
  self.thread_ = std::jthread([&self](const std::stop_token& stop) {
    std::mutex mu;
    std::condition_variable_any wake;
    std::unique_lock lock(mu);
    while (!wake.wait_for(lock, stop, kStep, [&stop] { return stop.stop_requested(); })) self.Step();
  });
  return chat;
}

RoomTable::Options ChatServer::RoomOptions(const ChatServerOptions& options) {
  RoomTable::Options rooms = options.rooms;
  rooms.room.grace_ms = options.leases.grace_ms;
  rooms.claim = [this](std::string_view room) { return Claim(room); };
  return rooms;
}

Leases::Options ChatServer::LeaseOptions(const ChatServerOptions& options) {
  Leases::Options leases = options.leases;
  leases.incarnation = [this] { return owners_.incarnation(); };
  return leases;
}

absl::Status ChatServer::Claim(std::string_view room) const {
  if (absl::Status status = owners_.Claim(room); !status.ok()) return status;
  for (const std::string& lost : recovery_.Lost()) {
    if (!owners_.Outranks(lost, room)) continue;
    return absl::AbortedError(fmt::format(
        "room \"{}\" is being restored after the loss of chat server \"{}\": try again soon", room, lost));
  }
  return absl::OkStatus();
}

absl::Status ChatServer::Ready() const {
  if (fence_.open(SteadyNowMs())) return absl::OkStatus();
  return absl::AbortedError(fmt::format(
      "chat server \"{}\" was stopped for a while, and finds out what others have done meanwhile: try "
      "again soon",
      id_));
}

bool ChatServer::AllTold(const std::string& lost, const StringSet& told) const {
  if (!owners_.Clear()) return false;
  const StringSet leased = leases_.Connectors();
  if (!std::all_of(leased.begin(), leased.end(), [&](const auto& c) { return told.contains(c); }))
    return false;
  // Whoever knows its connectors need not wait for one that is away.
  if (lost != id_ && SteadyNowMs() - started_ms_ > kKnownAfterMs) return true;
  MutexLock lock(mu_);
  return std::all_of(servers_->connectors.begin(), servers_->connectors.end(),
                     [&](const ServerInfo& c) { return told.contains(c.id); });
}

void ChatServer::Step() {
  const int64_t now_ms = SteadyNowMs();
  if (fence_.stopped(now_ms)) {
    spdlog::warn("this process was stopped for a while: asking the other chat servers what they have done");
    links_.Doubt([this] { fence_.Close(SteadyNowMs()); });
  }
  fence_.Tick(now_ms);
  if (fence_.closed()) AfterPause();
  if (fence_.closed()) return;
  recovery_.Tick(now_ms,
                 [this](const std::string& lost, const StringSet& told) { return AllTold(lost, told); });
  hand_over_.Tick();
  links_.Update();
}

void ChatServer::AfterPause() {
  if (owners_.InDoubt()) return;
  if (owners_.MayHaveLostRooms()) {
    spdlog::warn("others may have taken the rooms of this server: {} rooms are forgotten", rooms_.rooms());
    // From here on it is another server of the same name.
    owners_.BeginAnew(RandomId());
    recovery_.Begin(id_, 0, SteadyNowMs());
    hand_over_.Forget();
    rooms_.Clear();
    leases_.EndAll(
        {grpc::StatusCode::ABORTED, "this chat server was stopped, and others have taken its rooms"});
  }
  fence_.Open();
}

void ChatServer::Update(const std::shared_ptr<const ServerList>& servers) {
  {
    MutexLock lock(mu_);
    servers_ = servers;
  }
  owners_.SetServers(servers->chats);
  links_.Update();
}

void ChatServer::Tick() {
  const int64_t now_ms = SteadyNowMs();
  rooms_.Sweep(now_ms);
  // Who was stopped has not heard yet whose grace is over, nor whether the rooms are still its own.
  if (fence_.open(now_ms)) leases_.Sweep(now_ms);
}

void ChatServer::Drain(std::chrono::milliseconds timeout) {
  if (server_ == nullptr || std::exchange(drained_, true)) return;
  const auto end = std::chrono::steady_clock::now() + timeout;
  draining_ = true;
  server_->SetServing(false);
  if (timeout.count() > 0) {
    owners_.Drain();
    // Half of the time at the most, so that there is some left for the streams.
    WaitUntil([this] { return hand_over_.Settled(); }, timeout / 2);
    if (rooms_.rooms() > 0) spdlog::warn("{} rooms could be given to no other chat server", rooms_.rooms());
  }
  thread_ = {};
  service_.Shutdown();
  for (const std::string& lost : recovery_.Lost()) recovery_.Cancel(lost);
  peer_service_.Shutdown();
  status_.Shutdown();
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  // Their callbacks come here.
  WaitUntil([this] { return hand_over_.Stop(); }, std::chrono::seconds(3));
  server_->Shutdown(static_cast<int>(std::max<int64_t>(left.count(), 0)));
  links_.Stop();
}

}  // namespace hubbub::chat
