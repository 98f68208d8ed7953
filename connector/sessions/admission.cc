#include "connector/sessions/admission.h"

#include <utility>

#include "fmt/format.h"
#include "services/base/clock.h"

namespace hubbub::connector {

Admission::Admission(client::ClientSession& session, const SessionEnvironment& environment)
    : session_(session),
      environment_(environment),
      enters_(environment.max_enters_per_second, net::Clock::now()) {}

absl::Status Admission::CountEnter() {
  if (enters_.Take(net::Clock::now())) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("more than {} enters a second: slow down", enters_.per_second()));
}

absl::Status Admission::Check(const EnterRequest& wish, std::string_view user, const StringSet& rooms) {
  client::SessionPass& pass = session_.pass();
  absl::Status status = wish.sign_in.empty() ? absl::OkStatus() : Refresh(wish.sign_in, rooms);
  if (status.ok()) status = pass.MayActAs(wish.user);
  if (status.ok()) status = pass.MayEnter(wish.room);
  if (status.ok()) status = CheckNames(wish);
  if (!status.ok() || user.empty() || wish.user == user) return status;
  return absl::PermissionDeniedError(
      fmt::format("this session belongs to '{}': open a new connection to use another name", user));
}

absl::Status Admission::CheckNames(const EnterRequest& wish) const {
  if (environment_.scripts == nullptr) return absl::OkStatus();
  for (const std::string_view name : {std::string_view(wish.user), std::string_view(wish.room)}) {
    if (environment_.scripts->MixesScripts(name)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' mixes letters of several scripts: write it in one", name));
    }
  }
  return absl::OkStatus();
}

absl::Status Admission::Refresh(std::string_view token, const StringSet& rooms) {
  client::SessionPass pass = session_.pass();
  // An open server wants to know nothing.
  if (pass.open()) return absl::OkStatus();
  auto newer = pass.Check(token, SystemNowMs());
  if (!newer.ok()) return newer.status();
  pass.Take(*std::move(newer));
  for (const std::string& room : rooms) {
    const absl::Status status = pass.MayEnter(room);
    if (status.ok()) continue;
    return absl::PermissionDeniedError(
        fmt::format("{}, in which you are: leave it first", std::string(status.message())));
  }
  session_.pass() = std::move(pass);
  return absl::OkStatus();
}

}  // namespace hubbub::connector
