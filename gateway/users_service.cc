#include "gateway/users_service.h"

#include "services/rpc/grpc_status.h"
#include "services/rpc/refused_stream.h"
#include "services/rpc/user_calls.h"

namespace hubbub::gate {
namespace {

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

grpc::ServerWriteReactor<connector::v1::WatchStatusResponse>* UsersService::WatchStatus(
    grpc::CallbackServerContext*, const connector::v1::WatchStatusRequest*) {
  return new rpc::RefusedStream<connector::v1::WatchStatusResponse>(
      {grpc::StatusCode::UNIMPLEMENTED,
       "this is a gate, which holds no sessions: ask a connector for WatchStatus, or this gate for "
       "hubbub.gate.v1.GateService/ListServers"});
}

grpc::ServerUnaryReactor* UsersService::Disconnect(grpc::CallbackServerContext* context,
                                                   const connector::v1::DisconnectRequest* request,
                                                   connector::v1::DisconnectResponse* response) {
  return PassOn(watches_, rpc::DisconnectAt, context, request, response);
}

grpc::ServerUnaryReactor* UsersService::Push(grpc::CallbackServerContext* context,
                                             const connector::v1::PushRequest* request,
                                             connector::v1::PushResponse* response) {
  auto users = rpc::UsersOf(*request);
  if (!users.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(rpc::ToGrpc(users.status()));
    return reactor;
  }
  *response->mutable_missing_users() = {users->each.begin(), users->each.end()};
  *response->mutable_repeated_users() = {users->repeated.begin(), users->repeated.end()};
  return PassOn(watches_, rpc::PushAt, context, request, response);
}

grpc::ServerUnaryReactor* UsersService::Broadcast(grpc::CallbackServerContext* context,
                                                  const connector::v1::BroadcastRequest* request,
                                                  connector::v1::BroadcastResponse* response) {
  return PassOn(watches_, rpc::BroadcastAt, context, request, response);
}

}  // namespace hubbub::gate
