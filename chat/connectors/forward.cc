#include "chat/connectors/forward.h"

#include "fmt/format.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {

OwnerStub ForwardTo(const absl::Status& status, const grpc::CallbackServerContext& context,
                    const Cluster* cluster) {
  const std::string owner = rpc::OwnerIn(status);
  if (owner.empty() || cluster == nullptr) return nullptr;
  if (rpc::WasForwarded(context)) return nullptr;
  return cluster->StubOf(owner);
}

OwnerStub NextOwner(const grpc::Status& status, const grpc::ClientContext& context, const OwnerStub& asked,
                    const Cluster* cluster) {
  if (status.error_code() != grpc::StatusCode::FAILED_PRECONDITION) return nullptr;
  const auto& trailer = context.GetServerTrailingMetadata();
  const auto owner = trailer.find(rpc::kOwnerKey);
  if (owner == trailer.end()) return nullptr;
  OwnerStub next = cluster->StubOf({owner->second.data(), owner->second.size()});
  return next == asked ? nullptr : next;
}

grpc::Status OwnersAnswer(std::string_view room, const grpc::Status& status) {
  const grpc::StatusCode code = status.error_code();
  if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) return status;
  return {code, fmt::format("the chat server that owns room \"{}\" did not answer: {}", room,
                            status.error_message())};
}

}  // namespace hubbub::chat
