#include "services/client/session_pass.h"

#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/utf8.h"

namespace hubbub::client {
namespace {

// Names come from clients, and may be no UTF-8 yet.
std::string_view Shown(std::string_view name) {
  return name.substr(0, Utf8Prefix(name.substr(0, 64)));
}

absl::Status ShowATokenFirst() {
  return absl::UnauthenticatedError(
      "this server wants to know who you are: show a sign-in token, in the handshake as user.token, or here "
      "as "
      "token");
}

}  // namespace

absl::StatusOr<signin::Pass> SessionPass::Check(std::string_view token, int64_t now_ms) const {
  auto pass = checker_->Check(token, now_ms);
  if (!pass.ok() || !pass_ || pass->user == pass_->user) return pass;
  return absl::PermissionDeniedError(
      fmt::format("the sign-in token is for '{}', and this session belongs to '{}': open a new connection",
                  pass->user, pass_->user));
}

absl::Status SessionPass::Show(std::string_view token, int64_t now_ms) {
  if (open() || token.empty()) return absl::OkStatus();
  auto pass = Check(token, now_ms);
  if (!pass.ok()) return pass.status();
  Take(*std::move(pass));
  return absl::OkStatus();
}

absl::Status SessionPass::MayActAs(std::string_view user) const {
  if (open()) return absl::OkStatus();
  if (!pass_) return ShowATokenFirst();
  if (user == pass_->user) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("your sign-in token is for '{}': you cannot be '{}'", pass_->user, Shown(user)));
}

absl::Status SessionPass::MayEnter(std::string_view room) const {
  if (open()) return absl::OkStatus();
  if (!pass_) return ShowATokenFirst();
  if (!pass_->may_read)
    return absl::PermissionDeniedError("the sign-in token does not give the right to read");
  if (pass_->Names(room)) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("the sign-in token is not for room '{}'", Shown(room)));
}

absl::Status SessionPass::MaySpeak() const {
  if (open()) return absl::OkStatus();
  if (!pass_) return ShowATokenFirst();
  if (pass_->may_speak) return absl::OkStatus();
  return absl::PermissionDeniedError("your sign-in token does not give the right to speak");
}

std::function<std::optional<std::string>(std::string_view token)> BearerCheck(
    const signin::TokenChecker* checker) {
  if (checker == nullptr) return nullptr;
  return [checker](std::string_view token) -> std::optional<std::string> {
    const auto pass = checker->Check(token, SystemNowMs());
    if (pass.ok()) return std::nullopt;
    return std::string(pass.status().message());
  };
}

}  // namespace hubbub::client
