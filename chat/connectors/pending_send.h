#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/connectors/event_proto.h"
#include "chat/rooms/send_waiter.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {

// Ends the call, and names the owner that `status` names.
inline grpc::ServerUnaryReactor* FinishCall(grpc::CallbackServerContext* context,
                                            grpc::ServerUnaryReactor* reactor, const absl::Status& status) {
  if (const std::string owner = rpc::OwnerIn(status); !owner.empty())
    context->AddTrailingMetadata(rpc::kOwnerKey, owner);
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

// A call of Send that waits for its room's log. gRPC keeps what it points to until it has an answer.
class PendingSend final : public SendWaiter {
 public:
  PendingSend(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
              v1::SendResponse* response)
      : context_(context), reactor_(reactor), response_(response) {}

  void OnSent(uint64_t /*tag*/, const absl::StatusOr<SendResult>& result, Gather&) override {
    if (result.ok()) ToProto(*result, response_);
    FinishCall(context_, reactor_, result.status());
  }

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  v1::SendResponse* const response_;
};

}  // namespace hubbub::chat
