#include "gateway/connector_watches.h"

#include <utility>

#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/rpc/channel.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::gate {

using connector::v1::ConnectorService;

class ConnectorWatches::ConnectorWatch {
 public:
  ConnectorWatch(directory::ServerInfo info, EntryTable& table, const rpc::Credentials& credentials)
      : info_(std::move(info)),
        table_(table),
        stub_(ConnectorService::NewStub(rpc::MakeChannel(info_.grpc_address(), credentials))),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { stub_->async()->WatchStatus(context, request, reactor); },
            .request = [] { return connector::v1::WatchStatusRequest(); },
            .on_message = [this](connector::v1::WatchStatusResponse& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {}

  rpc::ConnectorPeer peer() const { return {info_.id, stub_}; }
  void Start() { stream_.Start(); }
  void Stop() {
    stream_.Stop();
    table_.Remove(info_.id);
  }

 private:
  void OnStatus(const connector::v1::WatchStatusResponse& status) {
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
      spdlog::warn("connector {} at {} cannot be reached: {}", info_.id, info_.grpc_address(),
                   status.error_message());
    }
  }

  const directory::ServerInfo info_;
  EntryTable& table_;
  bool reachable_ = false;  // Of the stream's callbacks.
  const std::shared_ptr<ConnectorService::Stub> stub_;
  rpc::StreamKeeper<connector::v1::WatchStatusRequest, connector::v1::WatchStatusResponse> stream_;
};

ConnectorWatches::ConnectorWatches(EntryTable& table, rpc::Credentials credentials)
    : watches_({.make =
                    [&table, credentials = std::move(credentials)](const directory::ServerInfo& server) {
                      return std::make_shared<ConnectorWatch>(server, table, credentials);
                    },
                .start = [](ConnectorWatch& watch) { watch.Start(); },
                .stop = [](ConnectorWatch& watch) { watch.Stop(); }}) {}

void ConnectorWatches::Update(const std::shared_ptr<const directory::ServerList>& servers) {
  watches_.Update(servers->connectors);
}

std::vector<rpc::ConnectorPeer> ConnectorWatches::Connectors() const {
  std::vector<rpc::ConnectorPeer> connectors;
  for (const auto& watch : watches_.All()) connectors.push_back(watch->peer());
  return connectors;
}

}  // namespace hubbub::gate
