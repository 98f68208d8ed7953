#include "services/rpc/access.h"

#include <utility>

#include "fmt/format.h"
#include "services/base/log.h"
#include "services/rpc/grpc_status.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

constexpr char kUris[] = "peer_uri";
constexpr std::string_view kBearer = "Bearer ";

std::string_view ValueOf(const grpc::AuthMetadataProcessor::InputMetadata& metadata, const char* key) {
  const auto at = metadata.find(key);
  if (at == metadata.end()) return {};
  return {at->second.data(), at->second.size()};
}

}  // namespace

std::optional<Caller> CallerOf(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return std::nullopt;
  Caller caller;
  for (const grpc::string_ref& uri : context.FindPropertyValues(kUris)) {
    if (auto grant = GrantOfUri({uri.data(), uri.size()})) caller.grants.push_back(*std::move(grant));
  }
  return caller;
}

absl::Status MaySpeakFor(const grpc::ServerContextBase& context, Role role, std::string_view name) {
  const auto peer = context.auth_context();
  const auto caller = peer == nullptr ? std::nullopt : CallerOf(*peer);
  return caller ? MaySpeakFor(*caller, role, name) : absl::OkStatus();
}

absl::StatusOr<std::optional<Caller>> Access::Identify(const grpc::AuthContext& context,
                                                       std::string_view authorization, const Tokens* tokens) {
  if (tokens == nullptr || authorization.empty()) return CallerOf(context);
  std::optional<Caller> caller;
  if (authorization.starts_with(kBearer)) caller = tokens->Find(authorization.substr(kBearer.size()));
  if (!caller) {
    return absl::UnauthenticatedError(
        "the metadata \"authorization\" holds no token that this server knows: it must be \"Bearer \" and a "
        "token "
        "of the file --grpc_tokens");
  }
  return caller;
}

absl::Status Access::Decide(const InputMetadata& metadata, const grpc::AuthContext& context) const {
  const auto caller = Identify(context, ValueOf(metadata, "authorization"), tokens_);
  if (!caller.ok()) return caller.status();
  return MayCall(ValueOf(metadata, ":path"), *caller ? &**caller : nullptr);
}

grpc::Status Access::Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                             OutputMetadata*) {
  const absl::Status status = Decide(metadata, *context);
  if (status.ok()) return grpc::Status::OK;
  // By the code alone: a stranger may ask for ever new methods.
  const std::string code = absl::StatusCodeToString(status.code());
  if (const auto left_out = refusals_.Admit(code, LineLimit::Clock::now())) {
    spdlog::warn("a gRPC call was refused: {}{}{}", std::string(status.message()),
                 *left_out == 0 ? "" : fmt::format(" ({} lines like this were left out)", *left_out),
                 LogFields({{"code", code}}));
  }
  return ToGrpc(status);
}

}  // namespace hubbub::rpc
