#include "chat/forward.h"

#include "chat/owner_table.h"
#include "fmt/format.h"

namespace hubbub::chat {

OwnerStub ForwardTo(const absl::Status& status, const grpc::CallbackServerContext& context,
                    const StubOf& stub_of) {
  const std::string owner = OwnerIn(status);
  if (owner.empty() || !stub_of) return nullptr;
  if (context.client_metadata().contains(forward_internal::kForwarded)) return nullptr;
  return stub_of(owner);
}

grpc::Status OwnersAnswer(std::string_view room, const grpc::Status& status) {
  const grpc::StatusCode code = status.error_code();
  if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) return status;
  return {code, fmt::format("the chat server that owns room \"{}\" did not answer: {}", room,
                            status.error_message())};
}

}  // namespace hubbub::chat
