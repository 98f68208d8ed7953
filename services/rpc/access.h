#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/security/auth_metadata_processor.h"
#include "grpcpp/server_context.h"
#include "services/base/line_limit.h"
#include "services/rpc/roles.h"
#include "services/rpc/tokens.h"

namespace hubbub::rpc {

// Who a call's peer is by its certificate: the role URIs in it. Nothing if it has shown none.
std::optional<Caller> CallerOf(const grpc::AuthContext& context);

// For services whose callers say who they are: MaySpeakFor by the certificate of the call's peer. OK on a
// server without certificates, where nobody is known.
absl::Status MaySpeakFor(const grpc::ServerContextBase& context, Role role, std::string_view name);

// Decides of each call, before its service hears of it, whether the caller may make it: by the table of
// roles.h, and by the certificate or the bearer token. Refusals are logged, as often as LineLimit allows.
// Thread-safe; never blocks. gRPC's server credentials own it.
class Access final : public grpc::AuthMetadataProcessor {
 public:
  // `tokens`: null if back ends have none; outlives the server.
  explicit Access(const Tokens* tokens) : tokens_(tokens) {}

  // The caller by its token if it shows one, otherwise by its certificate; nothing if by neither.
  // UNAUTHENTICATED if it is nobody's token. `authorization`: the metadata of this name, empty if there is
  // none.
  static absl::StatusOr<std::optional<Caller>> Identify(const grpc::AuthContext& context,
                                                        std::string_view authorization, const Tokens* tokens);

  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata* response) override;

 private:
  absl::Status Decide(const InputMetadata& metadata, const grpc::AuthContext& context) const;

  const Tokens* const tokens_;
  LineLimit refusals_;
};

}  // namespace hubbub::rpc
