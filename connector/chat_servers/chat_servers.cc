#include "connector/chat_servers/chat_servers.h"

#include <utility>

#include "boost/asio/as_tuple.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"
#include "services/base/entropy.h"
#include "services/base/log.h"
#include "services/base/retry_pause.h"
#include "services/net/spawn.h"
#include "services/rpc/retry.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kKickAgainAfter{500};
// After a while, so that very many who have left do not keep a chat server busy that waits for its store.
constexpr std::chrono::milliseconds kKickSeldom{4'000};

bool MayNotHaveHeard(const absl::Status& status) {
  return rpc::OutcomeOfCall(status) == rpc::Outcome::kUnknown || absl::IsAborted(status);
}

absl::Status HasLeft(const std::string& server) {
  return absl::UnavailableError(fmt::format("chat server {} has left the directory", server));
}

// Waits for the answer to a call; `start(done)` starts it. `start` is destroyed with the call.
template <typename Response, typename Start>
asio::awaitable<std::tuple<absl::Status, Response>> AnswerTo(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(absl::Status, Response)>(
      std::move(start), asio::use_awaitable);
}

}  // namespace

ChatServers::ChatServers(ChatLinks& links, net::Loop& loop, const LocalRooms* rooms)
    : links_(links), loop_(loop), rooms_(rooms), pauses_(Entropy{}()) {}

uint64_t ChatServers::LeaseOf(const std::string& server) const {
  const auto link = links_.Find(server);
  return link == nullptr ? 0 : link->lease();
}

uint64_t ChatServers::IncarnationOf(const std::string& server) const {
  const auto link = links_.Find(server);
  return link == nullptr ? 0 : link->incarnation();
}

std::string ChatServers::BestFor(const std::string& room) const {
  const auto link = links_.BestFor(room);
  return link == nullptr ? std::string() : link->server().id;
}

std::vector<std::string> ChatServers::Up() const {
  return links_.Up();
}

asio::awaitable<ChatServers::AddOutcome> ChatServers::Add(std::string server, chat::v1::AddRequest request,
                                                          std::string request_id) {
  const std::shared_ptr<ChatLink> link = links_.Find(server);
  if (link == nullptr) co_return AddOutcome(HasLeft(server), {});
  co_return co_await AnswerTo<chat::v1::AddResponse>(
      [&](auto done) { link->Add(loop_, request, request_id, std::move(done)); });
}

asio::awaitable<ChatServers::HistoryOutcome> ChatServers::ListEvents(std::string server,
                                                                     chat::v1::ListEventsRequest request,
                                                                     std::string request_id) {
  const std::shared_ptr<ChatLink> link = links_.Find(server);
  if (link == nullptr) co_return HistoryOutcome(HasLeft(server), {});
  co_return co_await AnswerTo<chat::v1::ListEventsResponse>(
      [&](auto done) { link->ListEvents(loop_, request, request_id, std::move(done)); });
}

asio::awaitable<void> ChatServers::Kick(std::string server, chat::v1::KickRequest place,
                                        std::string request_id) {
  for (int tries = 1;; ++tries) {
    if (co_await KickOnce(server, place, request_id)) co_return;
    if (tries == kTriesWhileWaitedFor) break;
    co_await Wait(kKickAgainAfter);
  }
  spdlog::warn("chat server {} has not heard yet that a user left: it is told again{}", server,
               LogFields({{"request", request_id}}));
  net::Spawn(loop_, KickUntilHeard(std::move(server), std::move(place), kTriesWhileWaitedFor));
}

void ChatServers::TakeBack(const std::string& server, const chat::v1::KickRequest& place) {
  net::Spawn(loop_, KickUntilHeard(server, place, 0));
}

asio::awaitable<void> ChatServers::KickUntilHeard(std::string server, chat::v1::KickRequest place,
                                                  int tries) {
  for (;; ++tries) {
    if (tries > 0) co_await Wait(tries <= kTriesWhileWaitedFor ? kKickAgainAfter : kKickSeldom);
    // A session that comes back is given the place that it has there still.
    const Membership* const again = rooms_ == nullptr ? nullptr : rooms_->Find(place.room(), place.session());
    if (again != nullptr && again->joined()) co_return;
    if (again == nullptr && co_await KickOnce(server, place, /*request_id=*/{})) co_return;
  }
}

asio::awaitable<bool> ChatServers::KickOnce(const std::string& server, const chat::v1::KickRequest& place,
                                            const std::string& request_id) {
  const std::shared_ptr<ChatLink> link = links_.Find(server);
  // The lease of a server that is lost ends by itself. Under another one, it has forgotten the place.
  if (link == nullptr || link->lost()) co_return true;
  if (const uint64_t lease = link->lease(); lease != 0 && lease != place.lease()) co_return true;
  const auto [status, response] = co_await AnswerTo<chat::v1::KickResponse>(
      [&](auto done) { link->Kick(loop_, place, request_id, std::move(done)); });
  if (status.ok() || absl::IsNotFound(status)) co_return true;
  if (MayNotHaveHeard(status)) co_return false;
  spdlog::warn("chat server {} was not told that a user left: {}{}", server, std::string(status.message()),
               LogFields({{"request", request_id}}));
  co_return true;
}

asio::awaitable<void> ChatServers::Wait(std::chrono::milliseconds pause) {
  asio::steady_timer timer(loop_.context(), pause);
  // Nobody cancels the timer, so there is no error.
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

void ChatServers::Restore(const std::string& server, const chat::v1::RestoreRequest& request,
                          RestoreDone done) {
  std::shared_ptr<ChatLink> link = links_.Find(server);
  if (link == nullptr) return loop_.Post([server, done = std::move(done)] { done(HasLeft(server), {}); });
  ChatLink& target = *link;
  target.Restore(
      loop_, request,
      [link = std::move(link), done = std::move(done)](
          const absl::Status& status, const chat::v1::RestoreResponse& response) { done(status, response); });
}

std::shared_ptr<SendStream> ChatServers::SendsTo(const std::string& server, uint64_t lease) const {
  const auto link = links_.Find(server);
  return link == nullptr || link->lease() != lease ? nullptr : link->SendsOf(loop_);
}

void ChatServers::Later(int tries, std::function<void()> then) {
  const auto timer = std::make_shared<asio::steady_timer>(loop_.context(), RetryPause(tries, ++pauses_));
  timer->async_wait([timer, then = std::move(then)](boost::system::error_code error) {
    if (!error) then();
  });
}

chat::v1::KickRequest KickRequestFor(const Membership& membership) {
  chat::v1::KickRequest place;
  place.set_room(membership.room());
  place.set_user(membership.user());
  place.set_lease(membership.at().lease);
  place.set_session(membership.session_id());
  if (membership.keep_name()) {
    place.set_keep_name(true);
    place.set_wait_ms(membership.wait_ms());
  }
  return place;
}

}  // namespace hubbub::connector
