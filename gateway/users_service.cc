#include "gateway/users_service.h"

#include "services/rpc/grpc_status.h"
#include "services/rpc/user_calls.h"

namespace hubbub::gateway {
namespace {

namespace v1 = connector::v1;

class Refusal final : public grpc::ServerWriteReactor<v1::WatchStatusResponse> {
 public:
  Refusal() {
    Finish({grpc::StatusCode::UNIMPLEMENTED,
            "this is a gate, which holds no sessions: ask a connector for WatchStatus, or this gate for "
            "hubbub.gate.v1.GateService/ListServers"});
  }
  void OnDone() override { delete this; }
};

// Passes a call on by `at`, unless there is nobody to pass it to.
template <typename At, typename Request, typename Response>
grpc::ServerUnaryReactor* PassOn(const ConnectorWatches& watches, At at, grpc::CallbackServerContext* context,
                                 const Request* request, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto connectors = watches.Connectors();
  if (connectors.empty()) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "there is no connector in this gate's directory"});
  } else {
    at(connectors, *context, request, response, reactor);
  }
  return reactor;
}

}  // namespace

grpc::ServerWriteReactor<v1::WatchStatusResponse>* UsersService::WatchStatus(grpc::CallbackServerContext*,
                                                                             const v1::WatchStatusRequest*) {
  return new Refusal;
}

grpc::ServerUnaryReactor* UsersService::Disconnect(grpc::CallbackServerContext* context,
                                                   const v1::DisconnectRequest* request,
                                                   v1::DisconnectResponse* response) {
  return PassOn(watches_, rpc::DisconnectAt, context, request, response);
}

grpc::ServerUnaryReactor* UsersService::Push(grpc::CallbackServerContext* context,
                                             const v1::PushRequest* request, v1::PushResponse* response) {
  auto users = rpc::UsersOf(*request);
  if (!users.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(users.status()));
    return reactor;
  }
  *response->mutable_missing_users() = {users->each.begin(), users->each.end()};
  *response->mutable_repeated_users() = {users->repeated.begin(), users->repeated.end()};
  return PassOn(watches_, rpc::PushAt, context, request, response);
}

grpc::ServerUnaryReactor* UsersService::Broadcast(grpc::CallbackServerContext* context,
                                                  const v1::BroadcastRequest* request,
                                                  v1::BroadcastResponse* response) {
  return PassOn(watches_, rpc::BroadcastAt, context, request, response);
}

}  // namespace hubbub::gateway
