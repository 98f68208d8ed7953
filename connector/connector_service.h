#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/client/contract.h"
#include "services/client/session_registry.h"
#include "services/rpc/latest_stream.h"
#include "services/rpc/user_calls.h"

namespace hubbub::connector {

// The gRPC rim of a connector: its status for gates, and calls that reach users. No call blocks: work goes to
// the loops, and the last loop that is done answers, or passes the call on to the other connectors unless it
// came from one. Thread-safe. Owned by Connector, outlives the gRPC server.
class ConnectorService final : public v1::ConnectorService::CallbackService {
 public:
  // `status` makes the connector's present status; `sessions`: those that have signed in, one registry for
  // each loop; `peers`: the other connectors as of now.
  ConnectorService(std::function<v1::WatchStatusResponse()> status, const client::ClientContract& contract,
                   std::vector<client::SessionRegistry*> sessions,
                   std::function<std::vector<rpc::ConnectorPeer>()> peers);
  ~ConnectorService() override;

  // Tells the watchers the status if it has changed, or every so often. Called several times a second, and
  // when a change must be told at once.
  void Tick() ABSL_LOCKS_EXCLUDED(mu_);
  // A gate watches.
  bool watched() const ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the watchers' streams, so that the server can shut down.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

  grpc::ServerWriteReactor<v1::WatchStatusResponse>* WatchStatus(
      grpc::CallbackServerContext* context, const v1::WatchStatusRequest* request) override;
  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const v1::DisconnectRequest* request,
                                       v1::DisconnectResponse* response) override;
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context, const v1::PushRequest* request,
                                 v1::PushResponse* response) override;
  grpc::ServerUnaryReactor* Broadcast(grpc::CallbackServerContext* context,
                                      const v1::BroadcastRequest* request,
                                      v1::BroadcastResponse* response) override;

 private:
  // One gate's stream. Its lock comes after mu_.
  using Watcher = rpc::LatestStream<v1::WatchStatusResponse>;

  // Runs `work` on every loop, then `done` on the last one.
  void OnEveryLoop(std::function<void(client::SessionRegistry&)> work, std::function<void()> done);

  const std::function<v1::WatchStatusResponse()> status_;
  const client::ClientContract& contract_;
  const std::vector<client::SessionRegistry*> sessions_;
  const std::function<std::vector<rpc::ConnectorPeer>()> peers_;
  mutable Mutex mu_;
  absl::flat_hash_set<Watcher*> watchers_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
  std::string last_status_ ABSL_GUARDED_BY(mu_);
  int ticks_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hubbub::connector
