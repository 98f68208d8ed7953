#pragma once

#include <algorithm>
#include <chrono>

#include "grpcpp/client_context.h"
#include "grpcpp/support/server_callback.h"
#include "services/rpc/request_id.h"
#include "services/rpc/retry.h"

namespace hubbub::rpc {

// A server may forward a call to a server that can answer it. The metadata of this name marks a forwarded
// call, which is answered or refused where it arrives, so that no call goes round in circles.
inline constexpr char kForwardedKey[] = "hubbub-forwarded";

// True if another server forwarded this call. Thread-safe.
inline bool WasForwarded(const grpc::CallbackServerContext& context) {
  return context.client_metadata().contains(kForwardedKey);
}

// Makes `context` that of a call which forwards `caller`'s: marks it, gives it the same request id, and ends
// it with the caller's deadline, or after kCallDeadline if that is sooner.
inline void SetForwarded(grpc::ClientContext& context, const grpc::CallbackServerContext& caller) {
  context.AddMetadata(kForwardedKey, "1");
  PassRequestId(caller, context);
  context.set_deadline(std::min(caller.deadline(), std::chrono::system_clock::now() + kCallDeadline));
}

}  // namespace hubbub::rpc
