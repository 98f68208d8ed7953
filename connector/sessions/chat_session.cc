#include "connector/sessions/chat_session.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "connector/chat_servers/client_errors.h"
#include "connector/sessions/answers.h"
#include "connector/sessions/room_calls.h"
#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/limits.h"
#include "services/client/contract.h"
#include "services/client/fields.h"
#include "services/net/spawn.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;

// How much of a session's sends may wait for answers before its next request is read.
constexpr size_t kMostSends = 64;
constexpr size_t kMostSendBytes = size_t{64} * 1024;

absl::Status TooManyRooms(size_t rooms) {
  return absl::ResourceExhaustedError(
      fmt::format("you are in {} rooms, and more are not allowed: leave one first", rooms));
}

}  // namespace

ChatSession::ChatSession(client::ClientSession& session, SessionEnvironment& environment)
    : session_(session),
      environment_(environment),
      admission_(session, environment),
      user_(session, environment.sessions, environment.encoder, environment.name_wait),
      rooms_(session, environment.rooms) {}
ChatSession::~ChatSession() = default;

const ChatSession::Route* ChatSession::FindRoute(std::string_view name) {
  static constexpr std::array kRouteTable{
      Route{client::route::kEnter, &ChatSession::Enter, /*after_sends=*/true},
      Route{client::route::kRecover, &ChatSession::Recover, /*after_sends=*/true},
      Route{client::route::kRefresh, &ChatSession::Refresh, /*after_sends=*/false},
      Route{client::route::kLeave, &ChatSession::Leave, /*after_sends=*/true},
      Route{client::route::kSend, &ChatSession::Send, /*after_sends=*/false},
      Route{client::route::kHistory, &ChatSession::History, /*after_sends=*/false},
  };
  const auto* const row =
      std::find_if(kRouteTable.begin(), kRouteTable.end(), [&](const Route& r) { return r.name == name; });
  return row == kRouteTable.end() ? nullptr : row;
}

void ChatSession::OnRequest(std::string_view name, json::object body, client::Reply reply) {
  session_.loop().AssertHere();
  const Route* const route = FindRoute(name);
  if (route == nullptr) return reply.Fail(404, UnknownRoute(name));
  if (!route->after_sends || load_->sends == 0) return (this->*route->handler)(body, std::move(reply));
  // Only one request waits, because the session takes no further request before this reply.
  waiting_.emplace(WaitingRequest{.route = route, .body = std::move(body), .reply = std::move(reply)});
  load_->when_idle = [this] {
    WaitingRequest request = std::move(*waiting_);
    waiting_.reset();
    (this->*request.route->handler)(request.body, std::move(request.reply));
  };
}

void ChatSession::Enter(const json::object& body, client::Reply reply) {
  absl::Status status = admission_.CountEnter();
  if (!status.ok()) return FailWith(std::move(reply), status);
  auto wish = ReadEnter(body);
  status = wish.ok() ? MayBegin(*wish) : wish.status();
  if (status.ok() && rooms_.size() >= environment_.max_rooms) status = TooManyRooms(rooms_.size());
  if (!status.ok()) return FailWith(std::move(reply), status);
  net::Spawn(session_.loop(), GoIn(environment_.servers, Begin(*wish), std::move(reply)));
}

absl::Status ChatSession::MayBegin(const EnterRequest& wish) {
  if (absl::Status status = admission_.Check(wish, user_.name(), rooms_.Names()); !status.ok()) return status;
  // As the stock demo answers a user who is in the room already.
  if (rooms_.Has(wish.room))
    return absl::AlreadyExistsError(fmt::format("you are in room '{}' already", wish.room));
  return absl::OkStatus();
}

Entry ChatSession::Begin(const EnterRequest& wish) {
  Membership::Who who = user_.Enter(wish);
  who.asked_ms = SteadyNowMs();
  auto membership = std::make_shared<Membership>(
      std::move(who), session_, [this](Membership& ended, Membership::End end) { OnEnded(ended, end); });
  rooms_.Add(membership);
  return {.membership = membership,
          .request = AddRequestOf(*membership, wish),
          .request_id = session_.request_id(),
          .deadline = net::Clock::now() + environment_.patience};
}

void ChatSession::Recover(const json::object& body, client::Reply reply) {
  auto wishes = ReadRecover(body);
  if (!wishes.ok()) return FailWith(std::move(reply), wishes.status());
  for (size_t i = 0; i < wishes->size(); ++i) {
    if (const absl::Status status = admission_.CountEnter(); !status.ok())
      return FailWith(std::move(reply), status);
  }
  if (!rooms_.empty()) return reply.Fail(500, "you are in rooms already: leave them first");
  if (wishes->size() > environment_.max_rooms)
    return FailWith(std::move(reply), TooManyRooms(wishes->size()));
  for (const EnterRequest& wish : *wishes) {
    if (const absl::Status status = MayBegin(wish); !status.ok()) return FailWith(std::move(reply), status);
  }
  Recovery recovery;
  for (const EnterRequest& wish : *wishes) recovery.entries.push_back(Begin(wish));
  net::Spawn(session_.loop(), ComeBack(environment_.servers, std::move(recovery), std::move(reply)));
}

boost::asio::awaitable<void> ChatSession::ComeBack(ChatServers& servers, Recovery recovery,
                                                   client::Reply reply) {
  const absl::Status status = co_await RecoverPlaces(servers, recovery, reply);
  if (reply.session() == nullptr) co_return;
  if (!status.ok()) {
    for (const Entry& entry : recovery.entries) rooms_.Forget(entry.membership->room());
    user_.SignOut();
    co_return FailWith(std::move(reply), status);
  }
  signed_in_ = true;
  TakeItsWord(recovery);
  reply.Ok({{"code", 200}});
  rooms_.Show();
  ShowMissed(environment_, session_, recovery);
}

void ChatSession::Refresh(const json::object& body, client::Reply reply) {
  const auto token = ReadRefresh(body);
  const absl::Status status = token.ok() ? admission_.Refresh(*token, rooms_.Names()) : token.status();
  if (!status.ok()) return FailWith(std::move(reply), status);
  reply.Ok({{"code", 200}});
}

boost::asio::awaitable<void> ChatSession::GoIn(ChatServers& servers, Entry entry, client::Reply reply) {
  const auto added = co_await AskForPlace(servers, entry, reply);
  if (reply.session() == nullptr) co_return;
  if (added.ok()) co_return OnAdded(entry, std::move(reply), *added);
  rooms_.Forget(entry.membership->room());
  // A user whose name is taken may choose another one.
  if (rooms_.empty()) user_.SignOut();
  FailWith(std::move(reply), added.status());
}

void ChatSession::OnAdded(const Entry& entry, client::Reply reply, const chat::v1::AddResponse& response) {
  signed_in_ = true;
  json::object answer = UserList(response.users(), response.total());
  answer["epoch"] = response.epoch();
  answer["offset"] = response.offset();
  answer["resume"] = entry.membership->token();
  if (entry.request.epoch() != 0) AddMissed(response, session_.small_answers(), answer);
  const RoomPoint now = PointOf(response);
  // Before the answer: a client that has it, and comes back, has to know that it is in this room. By the
  // answer it learns what it has missed: until then it is where it says that it is.
  const bool returns = entry.request.epoch() != 0;
  rooms_.ShowFrom(returns ? WordOf(entry) : now, *entry.membership);
  reply.Ok(answer);
  if (returns) rooms_.ShowFrom(now, *entry.membership);
  entry.membership->set_attempt(response.attempt());
  environment_.rooms.ShowUsers(entry.membership->room(), response.users(), response.total());
  environment_.rooms.Joined(*entry.membership, now);
  // The events that waited may have ended it, or moved it on. A new lease that came before the answer has not
  // seen it.
  if (entry.membership->joined()) environment_.restorer.CheckLease(*entry.membership);
}

void ChatSession::Leave(const json::object& body, client::Reply reply) {
  const auto room = client::TextField(body, "rid");
  if (!room.ok()) return FailWith(std::move(reply), room.status());
  const InRoom* const place = rooms_.Find(*room);
  if (place == nullptr) return reply.Fail(403, NotInRoom(*room));
  const std::shared_ptr<Membership> membership = place->membership;
  const bool joined = membership->joined();
  environment_.rooms.TellGapNow(*membership);
  rooms_.Forget(*room);
  rooms_.Show();
  // A place that is being restored is taken back by the Restorer when it is there.
  if (!joined) return reply.Ok({{"code", 200}});
  net::Spawn(session_.loop(),
             GiveUpPlace(environment_.servers, membership, std::move(reply), session_.request_id()));
}

void ChatSession::Send(const json::object& body, client::Reply reply) {
  auto request = ReadSend(body);
  if (!request.ok()) return FailWith(std::move(reply), request.status());
  if (const absl::Status status = session_.pass().MaySpeak(); !status.ok())
    return FailWith(std::move(reply), status);
  InRoom* const place = rooms_.Find(request->room());
  if (place == nullptr) {
    // Bad content is named first, as the chat server would name it.
    absl::Status status = CheckContent(request->content());
    if (status.ok()) status = absl::PermissionDeniedError(NotInRoom(request->room()));
    return FailWith(std::move(reply), status);
  }
  request->set_from(user_.name());
  if (place->sends == nullptr)
    place->sends = std::make_shared<RoomSends>(*place->membership, environment_.servers, load_);
  const auto sends = place->sends;
  if (load_->sends < kMostSends && load_->bytes < kMostSendBytes) reply.LetNextCome();
  sends->Send(*std::move(request), std::move(reply), net::Clock::now() + environment_.patience);
}

void ChatSession::History(const json::object& body, client::Reply reply) {
  auto request = ReadHistory(body);
  if (!request.ok()) return FailWith(std::move(reply), request.status());
  const InRoom* const place = rooms_.Find(request->room());
  if (place == nullptr) return reply.Fail(403, NotInRoom(request->room()));
  // A name alone proves nothing: without a sign-in, private messages are shown to nobody.
  if (session_.pass().open()) {
    request->set_public_only(true);
  } else {
    request->set_user(user_.name());
  }
  // Any chat server knows it.
  std::string server = place->membership->at().server;
  if (environment_.servers.LeaseOf(server) == 0) server = environment_.servers.BestFor(request->room());
  net::Spawn(session_.loop(), ShowHistory(environment_.servers, std::move(server), *std::move(request),
                                          std::move(reply), session_.request_id()));
}

void ChatSession::OnTick() {
  rooms_.TellGaps();
}

void ChatSession::OnEnded(const Membership& membership, Membership::End end) {
  rooms_.Forget(membership.room());
  if (end != Membership::End::kReplaced) return rooms_.Show();
  replaced_ = true;
  session_.Kick("replaced");
}

void ChatSession::OnClosed(bool clean) {
  load_->when_idle = nullptr;
  // A session that has replaced this one in a room is about to replace it in the others.
  clean = clean && !replaced_;
  // While this server drains, places wait to be taken over by the session's resume token, before the grace of
  // the lease ends them.
  const bool take_back = !environment_.draining || !user_.KnowsTokens();
  rooms_.Part(environment_.partings, /*keep_name=*/!clean, user_.WaitMs(), take_back);
  user_.SignOut();
}

}  // namespace hubbub::connector
