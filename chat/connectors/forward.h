#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "chat/connectors/cluster.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/rpc/forwarded.h"

namespace hubbub::chat {

// The chat server to ask instead, after this one has answered `status`: the owner that the status names
// (rpc::OwnerIn); null if there is no server to ask, or `cluster` is null. Who gets a forwarded call, as its
// metadata shows, does not forward it: two servers that disagree about the owner answer FAILED_PRECONDITION
// instead of passing it to and fro.
OwnerStub ForwardTo(const absl::Status& status, const grpc::CallbackServerContext& context,
                    const Cluster* cluster);

// The chat server that the asked one names instead of itself, because it has just given the room away; null
// if it names none, or the asked one itself.
OwnerStub NextOwner(const grpc::Status& status, const grpc::ClientContext& context, const OwnerStub& asked,
                    const Cluster* cluster);

// The owner's answer as the caller gets it: as it is, but says so when there was none.
grpc::Status OwnersAnswer(std::string_view room, const grpc::Status& status);

template <typename Request, typename Response>
using AsyncMethod = void (v1::ChatService::StubInterface::async_interface::*)(
    grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// How many servers are asked one after the other while slots are on their way.
inline constexpr int kMostOwners = 3;

// Asks the owner, and whom that names instead, and finishes `reactor` with the answer. `caller`, `request`
// and `response` are those of the reactor's call, which keeps them until then. `cluster` outlives the call.
// Does not block.
template <typename Request, typename Response>
void Forward(const OwnerStub& owner, AsyncMethod<Request, Response> method,
             const grpc::CallbackServerContext& caller, const Request* request, Response* response,
             grpc::ServerUnaryReactor* reactor, const Cluster* cluster, int most = kMostOwners) {
  struct Call {
    OwnerStub owner;
    grpc::ClientContext context;
  };
  auto call = std::make_shared<Call>();
  call->owner = owner;
  rpc::SetForwarded(call->context, caller);
  (call->owner->async()->*method)(
      &call->context, request, response,
      [call, method, &caller, request, response, reactor, cluster, most](const grpc::Status& status) {
        const OwnerStub next = most > 1 ? NextOwner(status, call->context, call->owner, cluster) : nullptr;
        if (next == nullptr) return reactor->Finish(OwnersAnswer(request->room(), status));
        Forward(next, method, caller, request, response, reactor, cluster, most - 1);
      });
}

}  // namespace hubbub::chat
