#include "chat/peer_links.h"

#include <chrono>
#include <utility>
#include <vector>

#include "chat/room_proto.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/clock.h"
#include "services/rpc/channel.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/reachability.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

constexpr std::chrono::seconds kImportDeadline{2};

}  // namespace

class PeerLinks::Link {
 public:
  Link(ServerInfo server, PeerLinks& links, const std::string& self)
      : server_(std::move(server)),
        links_(links),
        channel_(rpc::MakeChannel(server_.grpc_address())),
        chat_(v1::ChatService::NewStub(channel_)),
        peer_(v1::PeerService::NewStub(channel_)),
        reachability_(SteadyNowMs()),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { peer_->async()->Watch(context, request, reactor); },
            .request =
                [self] {
                  v1::WatchRequest request;
                  request.set_server(self);
                  request.set_contract(kPeerContract);
                  return request;
                },
            .on_message = [this](v1::WatchResponse& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {}

  const ServerInfo& server() const { return server_; }
  const OwnerStub& chat() const { return chat_; }
  v1::PeerService::Stub& peer() { return *peer_; }
  void Start() { stream_.Start(); }
  void Stop() { stream_.Stop(); }

 private:
  void OnStatus(const v1::WatchResponse& status) {
    if (status.server() != server_.id) {
      if (!std::exchange(complained_, true)) {
        spdlog::error("at {} the directory has chat server {}, but it says that it is {}: mend one of them",
                      server_.grpc_address(), server_.id, status.server());
      }
      return;
    }
    complained_ = false;
    if (links_.listener_.stopped()) return;
    const bool back = !reachability_.heard() && !std::exchange(here_, true);
    reachability_.Heard();
    draining_ = status.draining();
    if (back) spdlog::info("chat server {} at {} is here", server_.id, server_.grpc_address());
    const uint64_t before = links_.owners_.IncarnationOf(server_.id);
    std::vector<ServerInfo> leaving;
    for (const v1::LeavingServer& server : status.leaving()) {
      leaving.push_back({.kind = ServerKind::kChat,
                         .id = server.id(),
                         .host = server.host(),
                         .port = static_cast<uint16_t>(server.port())});
    }
    const OwnerTable::Life life = links_.owners_.Heard({.id = server_.id,
                                                        .incarnation = status.incarnation(),
                                                        .term = status.term(),
                                                        .draining = status.draining(),
                                                        .settled = status.settled(),
                                                        .times_lost = status.times_lost(),
                                                        .heard_incarnation = status.heard_incarnation(),
                                                        .heard_term = status.heard_term(),
                                                        .leaving = std::move(leaving)});
    if (life == OwnerTable::Life::kNew) {
      links_.listener_.on_lost(server_.id, before);
    } else if (back && life == OwnerTable::Life::kSame) {
      links_.listener_.on_back(server_.id);
    }
  }

  // A stream that breaks is opened again at once.
  void OnEnd(const grpc::Status& status) {
    const int64_t now_ms = SteadyNowMs();
    const bool stood = reachability_.heard();
    reachability_.Ended(status, now_ms);
    if (stood || links_.listener_.stopped()) return;
    if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
      if (!std::exchange(complained_, true)) spdlog::error("{}", status.error_message());
      return links_.owners_.Foreign(server_.id);
    }
    if (reachability_.MayTell(now_ms)) {
      // One that said that it drains has ended as it should.
      spdlog::log(draining_ ? spdlog::level::info : spdlog::level::warn,
                  "chat server {} at {} can not be reached: {}", server_.id, server_.grpc_address(),
                  status.error_message());
    }
    if (!reachability_.lost() || !links_.owners_.MayBeReached(server_.id)) return;
    here_ = false;
    links_.listener_.on_lost(server_.id, links_.owners_.IncarnationOf(server_.id));
    links_.owners_.Lost(server_.id);
  }

  const ServerInfo server_;
  PeerLinks& links_;
  // Of the stream's callbacks.
  bool draining_ = false;
  bool here_ = false;  // Since it was lost.
  bool complained_ = false;
  const std::shared_ptr<grpc::Channel> channel_;
  const OwnerStub chat_;
  const std::unique_ptr<v1::PeerService::Stub> peer_;
  rpc::Reachability reachability_;  // Of the stream's callbacks.
  rpc::StreamKeeper<v1::WatchRequest, v1::WatchResponse> stream_;
};

PeerLinks::PeerLinks(std::string id, OwnerTable& owners, Listener listener)
    : id_(std::move(id)), owners_(owners), listener_(std::move(listener)) {}

PeerLinks::~PeerLinks() {
  Stop();
}

PeerLinks::LinkPtr PeerLinks::Open(const ServerInfo& server) {
  return std::make_shared<Link>(server, *this, id_);
}

void PeerLinks::Update() {
  MutexLock change(change_mu_);
  if (stopped_) return;
  std::vector<LinkPtr> fresh;
  std::vector<LinkPtr> stale;
  {
    MutexLock lock(mu_);
    for (const ServerInfo& server : owners_.Known()) {
      LinkPtr& link = links_[server.id];
      if (link != nullptr && link->server() == server) continue;
      if (link != nullptr) stale.push_back(std::move(link));
      link = Open(server);
      fresh.push_back(link);
    }
    for (auto it = links_.begin(); it != links_.end();) {
      const auto current = it++;
      if (owners_.Knows(current->first)) continue;
      stale.push_back(current->second);
      links_.erase(current);
    }
  }
  for (const LinkPtr& link : stale) link->Stop();
  for (const LinkPtr& link : fresh) link->Start();
}

void PeerLinks::Doubt(const std::function<void()>& doubted) {
  MutexLock change(change_mu_);
  std::vector<LinkPtr> stale;
  std::vector<LinkPtr> fresh;
  {
    MutexLock lock(mu_);
    for (auto& [id, link] : links_) {
      stale.push_back(link);
      link = Open(link->server());
      fresh.push_back(link);
    }
  }
  for (const LinkPtr& link : stale) link->Stop();
  // Between the two: what the old streams said is older, and what the new ones say is newer.
  owners_.Doubt();
  doubted();
  for (const LinkPtr& link : fresh) link->Start();
}

void PeerLinks::Stop() {
  MutexLock change(change_mu_);
  stopped_ = true;
  StringMap<LinkPtr> links;
  {
    MutexLock lock(mu_);
    links.swap(links_);
  }
  for (const auto& [id, link] : links) link->Stop();
}

OwnerStub PeerLinks::StubOf(const std::string& server_id) const {
  const LinkPtr link = Find(server_id);
  return link == nullptr ? nullptr : link->chat();
}

void PeerLinks::Import(const std::string& server_id, const HandOver::Batch& batch,
                       HandOver::Done done) const {
  struct Call {
    LinkPtr link;
    v1::ImportRequest request = {};
    v1::ImportResponse response = {};
    grpc::ClientContext context = {};
  };
  auto call = std::make_shared<Call>();
  call->link = Find(server_id);
  if (call->link == nullptr) return done(absl::UnavailableError("there is no line to this chat server"));
  call->request.set_server(id_);
  call->request.set_incarnation(owners_.incarnation());
  call->request.set_batch(batch.number);
  for (const RoomState& room : *batch.rooms) ToProto(room, SteadyNowMs(), call->request.add_rooms());
  call->context.set_deadline(std::chrono::system_clock::now() + kImportDeadline);
  call->link->peer().async()->Import(
      &call->context, &call->request, &call->response,
      [call, done = std::move(done)](const grpc::Status& status) {
        if (!status.ok()) return done(FromGrpc(status));
        done(HandOver::Refused{.rooms = {call->response.refused().begin(), call->response.refused().end()},
                               .reason = call->response.reason()});
      });
}

PeerLinks::LinkPtr PeerLinks::Find(const std::string& server_id) const {
  MutexLock lock(mu_);
  const auto at = links_.find(server_id);
  return at == links_.end() ? nullptr : at->second;
}

}  // namespace hubbub::chat
