#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "services/http2/call.h"
#include "services/http2/message_framing.h"
#include "services/net/loop.h"
#include "services/rpc/request_id.h"
#include "services/rpc/retry.h"

namespace hubbub::rpc {

inline constexpr std::chrono::milliseconds kUnaryDeadline = kCallDeadline;

// The outcome, and the bytes of the response, which are valid until it returns.
using UnaryDone = absl::AnyInvocable<void(absl::Status, std::string_view response)>;

// Makes a unary call on `loop`, whatever becomes of it: its Stop waits for `done`. `framed`: the request
// (http2::FrameMessage). An answer that does not come in time is DEADLINE_EXCEEDED. Loop-only.
void CallForBytes(net::Loop& loop, const http2::OpenCall& open, http2::CallRequest request,
                  std::string framed, std::chrono::milliseconds timeout, UnaryDone done);

// The same with messages: `done(absl::Status, Response)`, which may be move-only. `request_id`: what the call
// is part of; empty for nothing.
template <typename Response, typename Done>
void CallUnary(net::Loop& loop, const http2::OpenCall& open, std::string method,
               const google::protobuf::MessageLite& request, Done done,
               std::chrono::milliseconds timeout = kUnaryDeadline, const std::string& request_id = {}) {
  http2::CallRequest call{.method = std::move(method)};
  if (!request_id.empty()) call.metadata.emplace_back(kRequestIdKey, request_id);
  CallForBytes(loop, open, std::move(call), http2::FrameMessage(request), timeout,
               [done = std::move(done)](absl::Status status, std::string_view bytes) mutable {
                 Response response;
                 if (status.ok() && !response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
                   status = absl::InternalError("the answer cannot be read");
                 done(std::move(status), std::move(response));
               });
}

}  // namespace hubbub::rpc
