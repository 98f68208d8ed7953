#include "connector/sessions/place_search.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "connector/chat_servers/client_errors.h"
#include "services/base/clock.h"
#include "services/base/retry_pause.h"
#include "services/rpc/owner_hint.h"
#include "services/rpc/retry.h"

namespace hubbub::connector {
namespace {

constexpr std::chrono::milliseconds kLeastPause{20};
// How many servers are asked without a pause, when each names another one.
constexpr int kMostHops = 3;

}  // namespace

chat::v1::AddRequest AddRequestOf(const Membership& membership, const EnterRequest& wish) {
  chat::v1::AddRequest request;
  request.set_room(membership.room());
  request.set_user(membership.user());
  request.set_session(membership.session_id());
  request.set_token(membership.token());
  request.set_resume_token(wish.resume);
  request.set_client_address(membership.address());
  request.set_wait_ms(membership.wait_ms());
  request.set_epoch(wish.epoch);
  request.set_offset(wish.offset);
  request.set_attempt(wish.attempt);
  return request;
}

boost::asio::awaitable<absl::StatusOr<chat::v1::AddResponse>> AskForPlace(ChatServers& servers, Entry& entry,
                                                                          const client::Reply& reply) {
  Membership& membership = *entry.membership;
  absl::Status status;
  Membership::At perhaps;  // The last chat server that may have the place, and did not say so.
  std::string owner;       // Of the room, as the last answer named it.
  int hops = 0;            // Since the last pause.
  int refusals = 0;
  while (true) {
    std::string server = owner;
    if (server.empty() || servers.LeaseOf(server) == 0) server = servers.BestFor(membership.room());
    const uint64_t lease = server.empty() ? 0 : servers.LeaseOf(server);
    if (lease == 0) {
      status = absl::UnavailableError("no chat server can be reached");
      // To look for one costs nobody anything: that is done often.
      refusals = 0;
    } else {
      membership.Asked({.server = server, .lease = lease, .incarnation = servers.IncarnationOf(server)});
      entry.request.set_lease(lease);
      entry.request.set_age_ms(SteadyNowMs() - membership.asked_ms());
      auto [answer, response] = co_await servers.Add(server, entry.request, entry.request_id);
      status = answer;
      const rpc::Outcome outcome = rpc::OutcomeOfCall(status);
      if (status.ok() || outcome == rpc::Outcome::kUnknown) perhaps = membership.at();
      if (reply.session() == nullptr) break;
      if (status.ok()) co_return std::move(response);
      if (outcome == rpc::Outcome::kDone) break;
      if (absl::IsFailedPrecondition(status)) {
        owner = rpc::OwnerIn(status);
        if (!owner.empty() && ++hops < kMostHops) continue;
      }
    }
    // The last tries come closer together, so that one comes shortly before the deadline.
    const auto left = std::chrono::floor<std::chrono::milliseconds>(entry.deadline - net::Clock::now());
    const auto pause = std::min(RetryPause(refusals++, membership.session_id()), left / 2);
    if (pause < kLeastPause) break;
    hops = 0;
    co_await servers.Wait(pause);
    if (reply.session() == nullptr) break;
  }
  // The client will be told that it did not work, which must be true by then.
  if (perhaps.lease != 0) {
    chat::v1::KickRequest place = KickRequestFor(membership);
    place.set_lease(perhaps.lease);
    co_await servers.Kick(perhaps.server, std::move(place), entry.request_id);
  }
  co_return status.ok() ? absl::CancelledError("the client is gone") : FaultOfCall(status);
}

}  // namespace hubbub::connector
