#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"

namespace hubbub::chat {

using OwnerStub = std::shared_ptr<v1::ChatService::StubInterface>;

// Who owns a room, as the chat server is told when it is made. Both are called from gRPC's threads and must
// not block. Both empty: this server owns every room.
struct Ownership {
  // OK if this server owns the room; otherwise an error that names the owner.
  std::function<absl::Status(std::string_view room)> check;
  // A way to the owner; null if it is this server.
  std::function<OwnerStub(std::string_view room)> owner_stub;
};

// Where a call for a room goes.
struct Route {
  absl::Status status;  // Not OK: the caller gets this.
  OwnerStub owner;      // Null: it is for this server.
};

// A call is forwarded once at most, as its metadata tells: two servers that disagree about the owner answer
// FAILED_PRECONDITION instead of passing it to and fro.
Route RouteTo(std::string_view room, const grpc::CallbackServerContext& context, const Ownership& ownership);

// The owner's answer as the caller gets it: as it is, but says so when there was none.
grpc::Status OwnersAnswer(std::string_view room, const grpc::Status& status);

namespace forward_internal {

inline constexpr char kForwarded[] = "hubbub-forwarded";
inline constexpr std::chrono::seconds kDeadline{2};

}  // namespace forward_internal

template <typename Request, typename Response>
using AsyncMethod = void (v1::ChatService::StubInterface::async_interface::*)(
    grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// Asks the owner and finishes `reactor` with its answer. `request` and `response` are those of the reactor's
// call, which keeps them until then. Does not block.
template <typename Request, typename Response>
void Forward(const OwnerStub& owner, AsyncMethod<Request, Response> method,
             const grpc::CallbackServerContext& caller, const Request* request, Response* response,
             grpc::ServerUnaryReactor* reactor) {
  struct Call {
    OwnerStub owner;
    grpc::ClientContext context;
  };
  auto call = std::make_shared<Call>();
  call->owner = owner;
  call->context.AddMetadata(forward_internal::kForwarded, "1");
  call->context.set_deadline(
      std::min(caller.deadline(), std::chrono::system_clock::now() + forward_internal::kDeadline));
  (call->owner->async()->*method)(&call->context, request, response,
                                  [call, request, reactor](const grpc::Status& status) {
                                    reactor->Finish(OwnersAnswer(request->room(), status));
                                  });
}

}  // namespace hubbub::chat
