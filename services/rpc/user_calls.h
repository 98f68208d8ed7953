#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/connector/v1/connector.grpc.pb.h"
#include "services/rpc/forwarded.h"

// Calls that reach users on every connector: the server that gets one, a connector or a gate, passes it on to
// all other connectors at once, and adds their answers up. Proto-level; used by gateway and connector.
namespace hubbub::rpc {

// A connector that calls can be passed on to.
struct ConnectorPeer {
  std::string id;
  std::shared_ptr<connector::v1::ConnectorService::StubInterface> stub;
};

// Whom a Push is for.
struct PushUsers {
  std::vector<std::string> each;      // Once, in the order of the request.
  std::vector<std::string> repeated;  // Those of them that the request names more than once.
};
// INVALID_ARGUMENT names the first entry that is no name of a user, or says that there are none, or too many.
absl::StatusOr<PushUsers> UsersOf(const connector::v1::PushRequest& request);

// Each of these forwards a call (services/rpc/forwarded.h) to `peers`, and finishes `reactor` when all have
// answered, or after kCallDeadline. `response` holds what was reached here and is added to; Push's
// missing_users must hold those who are not here. `request`, `response` and `reactor` are those of `caller`,
// which keeps them until then.
//
// UNAVAILABLE names each connector that did not answer, and says what was reached: the rest has had it.
// INVALID_ARGUMENT is passed on as a connector said it. Does not block; thread-safe.
void DisconnectAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
                  const connector::v1::DisconnectRequest* request,
                  connector::v1::DisconnectResponse* response, grpc::ServerUnaryReactor* reactor);
void PushAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
            const connector::v1::PushRequest* request, connector::v1::PushResponse* response,
            grpc::ServerUnaryReactor* reactor);
void BroadcastAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
                 const connector::v1::BroadcastRequest* request, connector::v1::BroadcastResponse* response,
                 grpc::ServerUnaryReactor* reactor);

}  // namespace hubbub::rpc
