#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "services/net/loop.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/owner_hint.h"
#include "services/rpc/request_id.h"
#include "services/rpc/retry.h"

namespace hubbub::rpc {

inline constexpr std::chrono::milliseconds kUnaryDeadline = kCallDeadline;

// What became of a call, with the owner of the room if the far end named one.
inline absl::Status OutcomeOf(const grpc::Status& answer, const grpc::ClientContext& context) {
  absl::Status status = FromGrpc(answer);
  if (status.ok()) return status;
  const auto& trailer = context.GetServerTrailingMetadata();
  if (const auto owner = trailer.find(kOwnerKey); owner != trailer.end())
    SetOwner(status, {owner->second.data(), owner->second.size()});
  return status;
}

// Starts a unary call of the callback API; `done(absl::Status, Response)` then runs on `loop`, whatever
// became of the call. `start(context, request, response, callback)` is the stub's method. `done` may be
// move-only. `request_id`: what the call is part of; empty for nothing. Thread-safe.
template <typename Response, typename Request, typename Start, typename Done>
void CallUnary(net::Loop& loop, Request request, Start start, Done done,
               std::chrono::milliseconds timeout = kUnaryDeadline, const std::string& request_id = {}) {
  struct Call {
    net::Loop& loop;
    Request request;
    Done done;
    grpc::ClientContext context = {};
    Response response = {};
  };
  // gRPC's callback must be copyable, so it holds a plain pointer and owns it again when it runs.
  auto* call = new Call{loop, std::move(request), std::move(done)};
  loop.Hold();
  call->context.set_deadline(std::chrono::system_clock::now() + timeout);
  SetRequestId(call->context, request_id);
  start(&call->context, &call->request, &call->response, [call](const grpc::Status& status) {
    std::unique_ptr<Call> owned(call);
    net::Loop& home = owned->loop;
    absl::Status outcome = OutcomeOf(status, owned->context);
    home.Post([owned = std::move(owned), status = std::move(outcome)]() mutable {
      owned->done(std::move(status), std::move(owned->response));
      owned->loop.Release();
    });
  });
}

}  // namespace hubbub::rpc
