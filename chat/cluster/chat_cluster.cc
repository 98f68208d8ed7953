#include "chat/cluster/chat_cluster.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/random_id.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

ChatCluster::ChatCluster(std::string id, int64_t recovery_limit_ms, SlotKeeper::Open open, Hooks hooks,
                         std::string history, rpc::Credentials credentials)
    : id_(std::move(id)),
      alone_(open == nullptr),
      can_keep_(std::move(hooks.can_keep)),
      started_ms_(SteadyNowMs()),
      fence_(started_ms_),
      slots_(id_),
      admission_(id_, slots_),
      rivals_(id_),
      recovery_(recovery_limit_ms),
      keeper_(id_, std::move(open), slots_,
              {.on_gone =
                   [this](const StoredServer& server) {
                     recovery_.Begin(server.id, server.incarnation, SteadyNowMs());
                   },
               .on_lost = std::move(hooks.slots_lost),
               .on_replaced = std::move(hooks.all_lost),
               .on_renewed = [this](int64_t asked_ms) { fence_.Open(asked_ms); }},
              std::move(history)),
      links_(id_, slots_, keeper_, std::move(credentials)) {}

absl::Status ChatCluster::Start(std::string address,
                                const std::shared_ptr<const directory::ServerList>& servers) {
  if (alone_) {
    // This may be a restart, and the connectors remember what was here.
    const bool restoring = !servers->connectors.empty();
    if (restoring) recovery_.Begin(id_, 0, SteadyNowMs());
    slots_.BeginAnew(RandomId());
    slots_.OwnAll(restoring);
  }
  Update(servers);
  if (alone_) return absl::OkStatus();
  if (absl::Status status = keeper_.Start(std::move(address)); !status.ok()) return status;
  links_.Update();
  return absl::OkStatus();
}

void ChatCluster::Update(const std::shared_ptr<const directory::ServerList>& servers) {
  const bool unlisted = std::none_of(servers->chats.begin(), servers->chats.end(),
                                     [this](const directory::ServerInfo& chat) { return chat.id == id_; });
  bool news = false;
  bool draining = false;
  {
    MutexLock lock(mu_);
    servers_ = servers;
    news = std::exchange(unlisted_, unlisted) != unlisted;
    draining = draining_ || unlisted_;
  }
  if (alone_) {
    std::vector<std::string> rivals;
    for (const directory::ServerInfo& chat : servers->chats) {
      if (chat.id != id_) rivals.push_back(chat.id);
    }
    rivals_.Set(std::move(rivals));
    return;
  }
  StringSet listed;
  for (const directory::ServerInfo& chat : servers->chats) listed.insert(chat.id);
  slots_.SetListed(std::move(listed));
  if (news) {
    if (unlisted) spdlog::warn("chat server {} is not in the directory: it gives its slots away", id_);
    keeper_.SetDraining(draining);
  }
}

void ChatCluster::Drain() {
  {
    MutexLock lock(mu_);
    draining_ = true;
  }
  if (!alone_) keeper_.SetDraining(true);
}

absl::Status ChatCluster::Ready() const {
  if (!fence_.open(SteadyNowMs())) {
    return absl::AbortedError(fmt::format(
        "chat server \"{}\" was stopped for a while, and finds out what others have done since: try "
        "again soon",
        id_));
  }
  if (can_keep_ != nullptr && !can_keep_()) {
    return absl::AbortedError(
        fmt::format("chat server \"{}\" has not opened its log yet: try again soon", id_));
  }
  return rivals_.MayServe();
}

Cluster::Loss ChatCluster::Report(const std::string& lost, uint64_t incarnation, const LossReport& report,
                                  RestoreDone done) {
  // The connector lost its stream to this very run, which has lost nothing.
  if (lost == id_ && incarnation == slots_.incarnation()) return Loss::kRecovered;
  if (recovery_.Stage(lost, incarnation, report, std::move(done))) return Loss::kBeingRecovered;
  return lost != id_ && slots_.Lives(incarnation) ? Loss::kNotLost : Loss::kRecovered;
}

void ChatCluster::Tick(int64_t now_ms, RoomTable& rooms, const Leases& leases) {
  if (fence_.Tick(now_ms)) {
    if (alone_) {
      fence_.Open(now_ms);
    } else {
      // Before that it has had nothing that others could have taken.
      if (keeper_.reached())
        spdlog::warn("this process was stopped for a while: asking the store what others have done");
      keeper_.Wake();
    }
  }
  if (!fence_.open(now_ms)) return;
  recovery_.Tick(
      now_ms,
      [&](const std::string& lost, const StringSet& told) {
        const bool all_read = AllRead(lost, rooms);
        return all_read && AllTold(lost, told, leases);
      },
      [&](std::string_view room, std::vector<RoomClaim> claims) {
        return rooms.Recover(room, std::move(claims));
      });
  slots_.Restored(recovery_.Lost());
  links_.Update();
}

bool ChatCluster::AllRead(const std::string& lost, RoomTable& rooms) const {
  bool all = true;
  for (const std::string& room : recovery_.Rooms(lost)) all &= rooms.HasOrReads(room);
  return all;
}

bool ChatCluster::AllTold(const std::string& lost, const StringSet& told, const Leases& leases) const {
  if (!slots_.AllClaimed()) return false;
  const StringSet leased = leases.Connectors();
  if (!std::all_of(leased.begin(), leased.end(), [&](const auto& c) { return told.contains(c); }))
    return false;
  // A server that knows its connectors need not wait for one that is away.
  if (lost != id_ && SteadyNowMs() - started_ms_ > kKnownAfterMs) return true;
  MutexLock lock(mu_);
  return std::all_of(servers_->connectors.begin(), servers_->connectors.end(),
                     [&](const directory::ServerInfo& c) { return told.contains(c.id); });
}

void ChatCluster::CancelRecovery() {
  for (const std::string& lost : recovery_.Lost()) recovery_.Cancel(lost);
}

}  // namespace hubbub::chat
