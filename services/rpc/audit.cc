#include "services/rpc/audit.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "grpcpp/server_context.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/history.pb.h"
#include "hubbub/connector/v1/connector.pb.h"
#include "services/base/limits.h"
#include "services/base/log.h"
#include "services/rpc/access.h"
#include "services/rpc/forwarded.h"
#include "services/rpc/request_id.h"
#include "services/rpc/roles.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

struct Whom {
  std::string room;
  std::string user;
};

// Whom a call is about; nothing if an administrator does not make it so. `request` is of the method's type.
std::optional<Whom> WhomOfKick(const void* request) {
  const auto& kick = *static_cast<const chat::v1::KickRequest*>(request);
  // That of a connector whose session leaves.
  if (kick.lease() != 0) return std::nullopt;
  return Whom{.room = kick.room(), .user = kick.user()};
}
std::optional<Whom> WhomOfDelete(const void* request) {
  return Whom{.room = static_cast<const chat::v1::DeleteRoomRequest*>(request)->room(), .user = {}};
}
std::optional<Whom> WhomOfExport(const void* request) {
  return Whom{.room = static_cast<const chat::v1::ExportEventsRequest*>(request)->room(), .user = {}};
}
std::optional<Whom> WhomOfDisconnect(const void* request) {
  return Whom{.room = {}, .user = static_cast<const connector::v1::DisconnectRequest*>(request)->user()};
}

struct Act {
  std::string_view method;
  std::optional<Whom> (*whom)(const void* request);
};
constexpr std::array<Act, 4> kActs = {{
    {"/hubbub.chat.v1.ChatService/Kick", &WhomOfKick},
    {"/hubbub.chat.v1.HistoryService/DeleteRoom", &WhomOfDelete},
    {"/hubbub.chat.v1.HistoryService/ExportEvents", &WhomOfExport},
    {"/hubbub.connector.v1.ConnectorService/Disconnect", &WhomOfDisconnect},
}};

const Act* ActOf(std::string_view method) {
  const auto* const act =
      std::find_if(kActs.begin(), kActs.end(), [method](const Act& one) { return one.method == method; });
  return act == kActs.end() ? nullptr : act;
}

// One call's line.
class Clerk final : public grpc::experimental::Interceptor {
 public:
  Clerk(const Act& act, ServerRpcInfo& info, const Tokens* tokens)
      : act_(act), context_(*info.server_context()), tokens_(tokens) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA))
      ReadMetadata(*methods->GetRecvInitialMetadata());
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      if (const void* const request = methods->GetRecvMessage(); request != nullptr)
        whom_ = act_.whom(request);
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS))
      Write(methods->GetSendStatus());
    methods->Proceed();
  }

 private:
  using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

  void ReadMetadata(const Metadata& metadata) {
    const auto authorization = metadata.find("authorization");
    const auto caller =
        Access::Identify(*context_.auth_context(),
                         authorization == metadata.end()
                             ? std::string_view()
                             : std::string_view(authorization->second.data(), authorization->second.size()),
                         tokens_);
    if (caller.ok() && caller->has_value()) caller_ = **caller;
    // Where callers are known, only a server is believed that it passes on what has been logged elsewhere.
    passed_on_ = metadata.contains(kForwardedKey) && (!caller_ || caller_->IsServer());
    request_id_ = RequestIdIn(metadata);
  }

  void Write(const grpc::Status& status) const {
    if (!whom_ || passed_on_) return;
    spdlog::info(
        "audit{}",
        LogFields({{"call", act_.method.substr(act_.method.rfind('.') + 1)},
                   {"caller", caller_ ? caller_->Text() : "unknown"},
                   {"peer", context_.peer()},
                   {"room", LogName(whom_->room)},
                   {"user", LogName(whom_->user)},
                   {"request", request_id_},
                   {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()))}}));
  }

  const Act& act_;
  const grpc::ServerContextBase& context_;
  const Tokens* const tokens_;
  std::optional<Caller> caller_;
  std::optional<Whom> whom_;
  bool passed_on_ = false;
  std::string request_id_;
};

}  // namespace

bool IsAudited(std::string_view method) {
  return ActOf(method) != nullptr;
}

std::string LogName(std::string_view name) {
  if (name.empty() || CheckName("name", name).ok()) return std::string(name);
  constexpr size_t kShown = 64;
  std::string text(name.substr(0, kShown));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return name.size() <= kShown ? text : fmt::format("{}… ({} bytes)", text, name.size());
}

grpc::experimental::Interceptor* Audit::CreateServerInterceptor(ServerRpcInfo* info) {
  const Act* const act = ActOf(info->method());
  return act == nullptr ? nullptr : new Clerk(*act, *info, tokens_);
}

}  // namespace hubbub::rpc
