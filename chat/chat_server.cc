#include "chat/chat_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "services/base/clock.h"
#include "services/base/host_port.h"
#include "services/base/wait.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

// A room is imported in one call, and may be large.
constexpr int kMaxMessageBytes = 32 << 20;

RoomTable::Options RoomsOf(const ChatServerOptions& options, ChatLog* log) {
  RoomTable::Options rooms = options.rooms;
  rooms.log = log == nullptr ? nullptr : &log->events();
  rooms.room.grace_ms = options.leases.grace_ms;
  return rooms;
}

SlotKeeper::Open OpenerOf(const ChatServerOptions& options, const std::stop_source& ending) {
  if (options.store.url.empty()) return nullptr;
  StoreOptions store = options.store;
  store.stop = ending.get_token();
  return [store] { return OpenStore(store); };
}

bool IsDurable(const ChatServerOptions& options) {
  return options.durable && !options.store.url.empty();
}

}  // namespace

ChatServer::ChatServer(const ChatServerOptions& options)
    : cluster_(options.id, options.recovery_limit_ms, OpenerOf(options, ending_),
               {.slots_lost = [this](const std::vector<int>& slots) { ForgetSlots(slots); },
                .all_lost = [this] { ForgetAll(); },
                .can_keep = [this] { return log_ == nullptr || log_->started(); }},
               IsDurable(options) ? "durable" : "memory", options.extras.credentials),
      log_(IsDurable(options) ? std::make_unique<ChatLog>(options.id, cluster_, options.retention,
                                                          OpenerOf(options, ending_))
                              : nullptr),
      rooms_(RoomsOf(options, log_.get()), &cluster_.admission()),
      leases_(options.id, rooms_, options.leases, &cluster_),
      peer_service_(options.id, cluster_, cluster_.slots(), cluster_.keeper(), rooms_, leases_),
      hand_over_(
          rooms_, cluster_.slots(),
          [this](const std::string& server, const HandOver::BatchPtr& batch, HandOver::Done done) {
            cluster_.links().Import(server, batch, std::move(done));
          },
          [this](std::vector<SlotGeneration> slots, HandOver::Done done) {
            cluster_.keeper().Keep(std::move(slots), std::move(done));
          }),
      service_(options.id, rooms_, leases_, &cluster_),
      history_service_(options.id, log_.get(), cluster_, rooms_),
      status_(options.id, [this](rpc::StatusService::Status& status) {
        status.set_draining(draining_);
        status.set_rooms(static_cast<uint32_t>(rooms_.rooms()));
        // Nobody counts members while it drains.
        status.set_members(rooms_.rooms() == 0 ? 0 : static_cast<uint32_t>(rooms_.members()));
      }) {}

absl::StatusOr<std::unique_ptr<ChatServer>> ChatServer::Start(
    const ChatServerOptions& options, const std::shared_ptr<const directory::ServerList>& servers) {
  std::unique_ptr<ChatServer> chat(new ChatServer(options));
  ChatServer& self = *chat;
  rpc::ServerOptions server;
  server.host = options.listen_host;
  server.port = options.listen_port;
  server.reflection = options.reflection;
  server.max_message_bytes = kMaxMessageBytes;
  server.services = {&self.service_, &self.history_service_, &self.peer_service_, &self.status_};
  server.extras = options.extras;
  auto started = rpc::Server::Start(server);
  if (!started.ok()) return started.status();
  self.server_ = *std::move(started);
  // Until the store was reached, which may take a while.
  self.has_store_ = !options.store.url.empty();
  if (self.has_store_) self.server_->SetServing(false);
  // Only now, because others may come as soon as this server is in the store. Until then every room is
  // refused.
  if (absl::Status status = self.cluster_.Start(HostPort(options.host, self.port()), servers); !status.ok())
    return status;
  self.thread_ = std::jthread([&self](const std::stop_token& stop) {
    std::mutex mu;
    std::condition_variable_any wake;
    std::unique_lock lock(mu);
    while (!wake.wait_for(lock, stop, kStep, [&stop] { return stop.stop_requested(); })) self.Step();
  });
  if (self.log_ != nullptr) self.log_->Start(self.rooms_);
  self.TellHealth();
  return chat;
}

void ChatServer::Step() {
  const int64_t now_ms = SteadyNowMs();
  cluster_.Tick(now_ms, rooms_, leases_);
  hand_over_.Tick(now_ms);
  TellHealth();
}

void ChatServer::TellHealth() {
  if (!has_store_) return;
  MutexLock lock(health_mu_);
  const SlotKeeper& keeper = cluster_.keeper();
  if (!reached_ && keeper.reached() && (log_ == nullptr || log_->running())) {
    reached_ = true;
    if (!draining_) server_->SetServing(true);
    if (draining_) server_->SetServing(false);  // Since just now.
  }
  if (const bool answers = keeper.answers(); store_answers_ != answers) {
    store_answers_ = answers;
    server_->SetPartServing(kStorePart, answers);
  }
}

void ChatServer::ForgetSlots(const std::vector<int>& slots) {
  SlotTable& table = cluster_.slots();
  size_t rooms = 0;
  for (const int slot : slots) {
    for (const std::string& room : rooms_.InSlot(slot, table.slots())) {
      rooms_.moves().Lost(room, table.OwnerOf(slot));
      ++rooms;
    }
  }
  spdlog::warn("other chat servers have taken {} slots: {} rooms are forgotten here", slots.size(), rooms);
}

void ChatServer::ForgetAll() {
  spdlog::warn("others may have taken the rooms of this server: {} rooms are forgotten", rooms_.rooms());
  hand_over_.Forget();
  rooms_.Clear();
  leases_.EndAll(
      {grpc::StatusCode::ABORTED, "this chat server was taken for gone, and others have taken its rooms"});
}

void ChatServer::Tick() {
  const int64_t now_ms = SteadyNowMs();
  rooms_.Sweep(now_ms);
  // After a pause this server does not know yet whose grace is over, nor whether the rooms are its own.
  if (cluster_.Ready().ok()) leases_.Sweep(now_ms);
}

void ChatServer::SayWhatStays() const {
  if (log_ != nullptr) {
    spdlog::info("{} rooms could be given to no other chat server; what was said there is in the store",
                 rooms_.rooms());
  } else {
    spdlog::warn("{} rooms could be given to no other chat server, and what was said there is lost",
                 rooms_.rooms());
  }
}

bool ChatServer::HasGivenAll() const {
  const SlotTable& slots = cluster_.slots();
  if (has_store_ && !cluster_.keeper().reached()) return true;  // It has had no slot.
  if (has_store_ && !cluster_.keeper().drain_told()) return false;
  if (!slots.Settled() || !hand_over_.Idle()) return false;
  // Without a successor there is nothing to settle. In a rollout one comes any moment. When the whole suite
  // ends, the connectors have gone, or the store, or other chat servers end too.
  const bool all_end = !leases_.Heard() || !cluster_.keeper().answers() || slots.OthersDrain();
  return !has_store_ || slots.owned() == 0 || rooms_.members() == 0 || all_end;
}

void ChatServer::GiveRoomsAway(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  cluster_.Drain();
  for (auto left = timeout; left.count() > 0;
       left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now())) {
    rooms_.Sweep(SteadyNowMs());  // Counts who is there.
    if (WaitUntil([this] { return HasGivenAll(); }, std::min(left, std::chrono::milliseconds(1'000)))) return;
  }
}

void ChatServer::Drain(std::chrono::milliseconds timeout) {
  if (server_ == nullptr || std::exchange(drained_, true)) return;
  const auto end = std::chrono::steady_clock::now() + timeout;
  ending_.request_stop();
  draining_ = true;
  server_->SetServing(false);
  if (timeout.count() > 0) {
    // Half of the time at the most, so that there is some left for the streams.
    GiveRoomsAway(timeout / 2);
    if (rooms_.rooms() > 0) SayWhatStays();
  }
  thread_ = {};
  service_.Shutdown();
  cluster_.CancelRecovery();
  peer_service_.Shutdown();
  status_.Shutdown();
  if (log_ != nullptr) {
    log_->StopReading();
    // After it leaves, nothing can be kept any more in its name.
    WaitUntil([this] { return waiting_sends() == 0; }, timeout / 4);
  }
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  // Their callbacks come here.
  WaitUntil([this] { return hand_over_.Stop(); }, std::chrono::seconds(3));
  // Before the server: calls of other chat servers may wait for the store.
  cluster_.Leave();
  server_->Shutdown(static_cast<int>(std::max<int64_t>(left.count(), 0)));
  if (log_ != nullptr) log_->Stop();
  cluster_.Stop();
}

}  // namespace hubbub::chat
