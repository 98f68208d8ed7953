#include "chat/forward.h"

#include "fmt/format.h"

namespace hubbub::chat {

Route RouteTo(std::string_view room, const grpc::CallbackServerContext& context, const Ownership& ownership) {
  OwnerStub owner = ownership.owner_stub ? ownership.owner_stub(room) : nullptr;
  if (owner == nullptr) return {};
  if (!context.client_metadata().contains(forward_internal::kForwarded))
    return {absl::OkStatus(), std::move(owner)};
  absl::Status status = ownership.check ? ownership.check(room) : absl::OkStatus();
  if (status.ok()) {
    status = absl::FailedPreconditionError(
        fmt::format("room \"{}\" belongs to another chat server than the one it was forwarded to", room));
  }
  return {std::move(status), nullptr};
}

grpc::Status OwnersAnswer(std::string_view room, const grpc::Status& status) {
  const grpc::StatusCode code = status.error_code();
  if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) return status;
  return {code, fmt::format("the chat server that owns room \"{}\" did not answer: {}", room,
                            status.error_message())};
}

}  // namespace hubbub::chat
