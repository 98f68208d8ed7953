#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/signin/pass.h"
#include "services/signin/token_checker.h"

namespace hubbub::client {

// What a session's client may do by the sign-in token that it has shown, on a server that demands one; on one
// that is open, everything. Errors are sentences for the client. Not thread-safe. A part of its session.
class SessionPass {
 public:
  // `checker` outlives it; null: the server is open.
  explicit SessionPass(const signin::TokenChecker* checker) : checker_(checker) {}

  // The pass that `token` makes: UNAUTHENTICATED if it makes none, PERMISSION_DENIED if it is another user's
  // than the one before. REQUIRES: the server is not open.
  absl::StatusOr<signin::Pass> Check(std::string_view token, int64_t now_ms) const;
  // From now on this pass holds, in place of the one before.
  void Take(signin::Pass pass) { pass_ = std::move(pass); }
  // Both, one after the other. Without a token, or on an open server: OK, and nothing changes.
  absl::Status Show(std::string_view token, int64_t now_ms);

  bool open() const { return checker_ == nullptr; }
  // The pass has ended: the session must end.
  bool Ended(int64_t now_ms) const { return pass_ && now_ms >= pass_->ends_ms; }

  // UNAUTHENTICATED if no token was shown, PERMISSION_DENIED if the pass does not allow it.
  absl::Status MayActAs(std::string_view user) const;
  absl::Status MayEnter(std::string_view room) const;
  absl::Status MaySpeak() const;

 private:
  const signin::TokenChecker* checker_;
  std::optional<signin::Pass> pass_;
};

// What net::WebSocketRoute::check_bearer may be; null without a checker, which outlives it.
std::function<std::optional<std::string>(std::string_view token)> BearerCheck(
    const signin::TokenChecker* checker);

}  // namespace hubbub::client
