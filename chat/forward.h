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
#include "services/rpc/request_id.h"

namespace hubbub::chat {

using OwnerStub = std::shared_ptr<v1::ChatService::StubInterface>;
// A way to the chat server with this id; null if there is none. Must not block.
using StubOf = std::function<OwnerStub(const std::string& server_id)>;

// Who is to be asked instead, after this server has answered `status`: the owner that it names (OwnerIn);
// null if there is nobody to ask. A call is forwarded once at most, as its metadata tells: two servers that
// disagree about the owner answer FAILED_PRECONDITION instead of passing it to and fro.
OwnerStub ForwardTo(const absl::Status& status, const grpc::CallbackServerContext& context,
                    const StubOf& stub_of);

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
  rpc::PassRequestId(caller, call->context);
  call->context.set_deadline(
      std::min(caller.deadline(), std::chrono::system_clock::now() + forward_internal::kDeadline));
  (call->owner->async()->*method)(&call->context, request, response,
                                  [call, request, reactor](const grpc::Status& status) {
                                    reactor->Finish(OwnersAnswer(request->room(), status));
                                  });
}

}  // namespace hubbub::chat
