#pragma once

#include "gateway/connector_watches.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"

namespace hubbub::gate {

// The calls of a connector that reach users, as a gate takes them: it passes each on to all connectors. A
// back end need not know which connector holds a user, nor which connectors there are. Thread-safe. Owned by
// Gate, outlives the gRPC server.
class UsersService final : public connector::v1::ConnectorService::CallbackService {
 public:
  explicit UsersService(const ConnectorWatches& watches) : watches_(watches) {}

  // UNIMPLEMENTED: a gate has no sessions to tell of.
  grpc::ServerWriteReactor<connector::v1::WatchStatusResponse>* WatchStatus(
      grpc::CallbackServerContext* context, const connector::v1::WatchStatusRequest* request) override;
  grpc::ServerUnaryReactor* Disconnect(grpc::CallbackServerContext* context,
                                       const connector::v1::DisconnectRequest* request,
                                       connector::v1::DisconnectResponse* response) override;
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context,
                                 const connector::v1::PushRequest* request,
                                 connector::v1::PushResponse* response) override;
  grpc::ServerUnaryReactor* Broadcast(grpc::CallbackServerContext* context,
                                      const connector::v1::BroadcastRequest* request,
                                      connector::v1::BroadcastResponse* response) override;

 private:
  const ConnectorWatches& watches_;
};

}  // namespace hubbub::gate
