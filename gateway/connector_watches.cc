#include "gateway/connector_watches.h"

#include <utility>
#include <vector>

#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::gateway {

using connector::v1::ConnectorService;
using connector::v1::WatchStatusRequest;
using connector::v1::WatchStatusResponse;

class ConnectorWatches::ConnectorWatch {
 public:
  ConnectorWatch(ServerInfo info, EntryTable& table)
      : info_(std::move(info)),
        table_(table),
        stub_(ConnectorService::NewStub(rpc::MakeChannel(info_.grpc_address()))),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { stub_->async()->WatchStatus(context, request, reactor); },
            .request = [] { return WatchStatusRequest(); },
            .on_message = [this](WatchStatusResponse& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {
    stream_.Start();
  }

  const ServerInfo& info() const { return info_; }
  rpc::ConnectorPeer peer() const { return {info_.id, stub_}; }
  void Stop() { stream_.Stop(); }

 private:
  void OnStatus(const WatchStatusResponse& status) {
    if (!std::exchange(reachable_, true))
      spdlog::info("connector {} at {} is here", info_.id, info_.grpc_address());
    table_.Put({.id = info_.id,
                .client_host = status.client_host().empty() ? info_.client_host : status.client_host(),
                .client_port = static_cast<uint16_t>(status.client_port()),
                .sessions = status.sessions(),
                .capacity = status.capacity(),
                .reachable = true,
                .draining = status.draining()});
  }

  void OnEnd(const grpc::Status& status) {
    table_.SetUnreachable(info_.id);
    if (std::exchange(reachable_, false)) {
      spdlog::warn("connector {} at {} can not be reached: {}", info_.id, info_.grpc_address(),
                   status.error_message());
    }
  }

  const ServerInfo info_;
  EntryTable& table_;
  bool reachable_ = false;  // Of the stream's callbacks.
  const std::shared_ptr<ConnectorService::Stub> stub_;
  rpc::StreamKeeper<WatchStatusRequest, WatchStatusResponse> stream_;
};

ConnectorWatches::ConnectorWatches(EntryTable& table) : table_(table) {}
ConnectorWatches::~ConnectorWatches() = default;

void ConnectorWatches::Update(const std::shared_ptr<const ServerList>& servers) {
  std::vector<std::shared_ptr<ConnectorWatch>> stale;
  {
    MutexLock lock(mu_);
    for (const auto& [id, watch] : connectors_) {
      const auto info = FindServer(*servers, ServerKind::kConnector, id);
      if (!info.ok() || *info != watch->info()) stale.push_back(watch);
    }
    for (const auto& watch : stale) connectors_.erase(watch->info().id);
  }
  // Outside the lock, for it waits for callbacks; and before there are new ones, whose news an old end would
  // undo.
  for (const auto& watch : stale) {
    watch->Stop();
    table_.Remove(watch->info().id);
  }
  MutexLock lock(mu_);
  for (const ServerInfo& server : servers->connectors) {
    if (!connectors_.contains(server.id))
      connectors_.emplace(server.id, std::make_shared<ConnectorWatch>(server, table_));
  }
}

std::vector<rpc::ConnectorPeer> ConnectorWatches::Connectors() const {
  MutexLock lock(mu_);
  std::vector<rpc::ConnectorPeer> connectors;
  connectors.reserve(connectors_.size());
  for (const auto& [id, watch] : connectors_) connectors.push_back(watch->peer());
  return connectors;
}

}  // namespace hubbub::gateway
