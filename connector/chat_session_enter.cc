// How a session comes into a room: it asks until the chat server that has the room answers.
#include <algorithm>
#include <utility>

#include "connector/answers.h"
#include "connector/chat_session.h"
#include "connector/pause.h"
#include "connector/places.h"
#include "fmt/format.h"
#include "services/entropy.h"
#include "services/limits.h"
#include "services/owner_hint.h"
#include "services/retry_pause.h"
#include "services/session/fields.h"
#include "services/stable_hash.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kLeastPause{20};
// So many servers are asked one after the other, as each names another, before there is a pause.
constexpr int kMostHops = 3;
constexpr size_t kTokenBytes = 32;

// 128 bits that nobody can guess.
std::string NewToken() {
  constexpr Entropy kEntropy;
  return fmt::format("{:016x}{:016x}", kEntropy(), kEntropy());
}

// As NewToken makes them.
bool LooksLikeAToken(std::string_view text) {
  return text.size() == kTokenBytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What is told of where a client is: without its port, which is another one each time.
uint64_t AddressOf(std::string_view peer) {
  const std::string_view address = peer.substr(0, peer.rfind(':'));
  return address.empty() ? 0 : StableHash(address);
}

// The call may have done its work, though its answer was lost.
bool IsUnsure(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) || absl::IsCancelled(status);
}

}  // namespace

struct ChatSession::EnterCall {
  net::Loop& loop;
  chat::v1::AddRequest request;
  Reply reply;
  std::string request_id;
  bool asks_for_missed = false;
  net::Clock::time_point deadline;
  std::string owner = {};                      // As the last answer told.
  int hops = 0;                                // Since the last pause.
  int tries = 0;                               // That chat servers have refused.
  std::shared_ptr<ChatLink> unsure = nullptr;  // The last one that may have a place, and did not say so.
  bool keep_name = false;                      // Its session was cut off.
};

void ChatSession::Enter(const json::object& body, Reply reply) {
  auto user = TextField(body, "username");
  if (!user.ok()) return reply.Fail(400, std::string(user.status().message()));
  auto room = TextField(body, "rid");
  if (!room.ok()) return reply.Fail(400, std::string(room.status().message()));
  for (const absl::Status& status : {CheckName("username", *user), CheckName("rid", *room)}) {
    if (!status.ok()) return reply.Fail(400, std::string(status.message()));
  }
  if (!user_.empty() && *user != user_) {
    return reply.Fail(403,
                      fmt::format("this session belongs to '{}': connect anew to be somebody else", user_));
  }
  // As the stock demo answers a user who is there already.
  if (memberships_.contains(*room))
    return reply.Fail(500, fmt::format("you are in room '{}' already", *room));
  if (memberships_.size() >= around_.max_rooms) {
    return reply.Fail(429, fmt::format("you are in {} rooms, and more are not allowed: leave one first",
                                       memberships_.size()));
  }
  // A token that is shown stays the client's own: it may be shown again if the answer does not arrive, and
  // what the room has for it is for it alone.
  std::string token;
  // One that is longer is none of ours; cut, it might end in the middle of a character.
  std::string resume;
  if (const json::value* shown = body.if_contains("resume");
      shown != nullptr && shown->is_string() && shown->get_string().size() <= kTokenBytes) {
    resume = std::string(shown->get_string());
    if (LooksLikeAToken(resume)) token = resume;
  }
  showed_token_ = showed_token_ || !token.empty();
  if (user_.empty()) SignIn(*std::move(user), token.empty() ? NewToken() : token);
  if (token.empty()) token = token_;
  auto membership = std::make_unique<Membership>();
  membership->session = &session_;
  membership->user = user_;
  membership->room = *room;
  membership->token = token;
  membership->address = AddressOf(session_.peer());
  membership->wait_ms = WaitMs();
  around_.rooms.Insert(*membership, *this);
  memberships_.emplace(*room, std::move(membership));

  EnterCallPtr call(new EnterCall{.loop = session_.loop(),
                                  .request = {},
                                  .reply = std::move(reply),
                                  .request_id = session_.request_id(),
                                  .deadline = net::Clock::now() + around_.patience});
  chat::v1::AddRequest& request = call->request;
  request.set_room(*room);
  request.set_user(user_);
  request.set_session(session_.id());
  request.set_token(token);
  request.set_resume_token(std::move(resume));
  request.set_client_address(memberships_.find(*room)->second->address);
  request.set_wait_ms(WaitMs());
  const auto epoch = WholeNumberField(body, "epoch");
  const auto offset = WholeNumberField(body, "offset");
  call->asks_for_missed = epoch && offset && *epoch != 0;
  if (call->asks_for_missed) {
    request.set_epoch(*epoch);
    request.set_offset(*offset);
  }
  entering_ = call.get();
  TryEnter(std::move(call));
}

void ChatSession::EndEnter(bool clean) {
  if (entering_ == nullptr) return;
  entering_->keep_name = !clean;
  entering_->request.set_wait_ms(WaitMs());
}

void ChatSession::TryEnter(EnterCallPtr call) {
  std::shared_ptr<ChatLink> link;
  if (!call->owner.empty()) link = around_.links.Find(call->owner);
  if (link == nullptr || link->lease() == 0) link = around_.links.BestFor(call->request.room());
  const uint64_t lease = link == nullptr ? 0 : link->lease();
  // Whether there is one costs nobody anything: that is looked at often.
  if (lease == 0) call->tries = 0;
  if (lease == 0) return EnterLater(std::move(call), absl::UnavailableError("no chat server can be reached"));
  Membership& membership = *memberships_.find(call->request.room())->second;
  membership.server = link->server().id;
  membership.lease = lease;
  membership.incarnation = link->incarnation();
  call->request.set_lease(lease);
  ChatLink& target = *link;
  chat::v1::AddRequest request = call->request;
  net::Loop& loop = call->loop;
  const std::string request_id = call->request_id;
  target.Add(loop, std::move(request), request_id,
             [this, link = std::move(link), call = std::move(call)](
                 const absl::Status& status, const chat::v1::AddResponse& response) mutable {
               if (IsUnsure(status) || status.ok()) call->unsure = std::move(link);
               // Added, or perhaps added, for nobody: `this` is gone.
               if (call->reply.session() == nullptr) return TakeBack(std::move(call), kTriesAlone);
               OnAddAnswer(std::move(call), status, response);
             });
}

void ChatSession::OnAddAnswer(EnterCallPtr call, const absl::Status& status,
                              const chat::v1::AddResponse& response) {
  if (status.ok()) return OnAdded(std::move(call), response);
  if (absl::IsFailedPrecondition(status)) {
    call->owner = OwnerIn(status);
    if (!call->owner.empty() && ++call->hops < kMostHops) return TryEnter(std::move(call));
  }
  if (IsUnsure(status) || absl::IsAborted(status) || absl::IsFailedPrecondition(status))
    return EnterLater(std::move(call), status);
  OnRefused(std::move(call), status);
}

void ChatSession::EnterLater(EnterCallPtr call, const absl::Status& status) {
  // The last tries come closer together, so that one comes shortly before the deadline.
  const auto left = std::chrono::floor<std::chrono::milliseconds>(call->deadline - net::Clock::now());
  const auto pause = std::min(RetryPause(call->tries++, session_.id()), left / 2);
  if (pause < kLeastPause) return OnRefused(std::move(call), status);
  call->hops = 0;
  net::Loop& loop = call->loop;
  After(loop, pause, [this, call = std::move(call)]() mutable {
    if (call->reply.session() == nullptr) return TakeBack(std::move(call), kTriesAlone);
    TryEnter(std::move(call));
  });
}

// A place that nobody wants any more, if there is one.
void ChatSession::TakeBack(EnterCallPtr call, int tries, std::function<void(EnterCallPtr)> done) {
  if (call->unsure == nullptr) {
    if (done) done(std::move(call));
    return;
  }
  const chat::v1::AddRequest& add = call->request;
  auto place = PlaceOf(add.room(), add.user(), add.lease(), add.session());
  place.set_keep_name(call->keep_name);
  place.set_wait_ms(add.wait_ms());
  net::Loop& loop = call->loop;
  std::shared_ptr<ChatLink> link = std::move(call->unsure);
  const std::string request_id = call->request_id;
  const auto held = std::make_shared<EnterCallPtr>(std::move(call));
  KickPlace(loop, std::move(link), place, tries, request_id, [held, done = std::move(done)] {
    if (done) done(std::move(*held));
  });
}

void ChatSession::OnRefused(EnterCallPtr call, const absl::Status& status) {
  // The client will be told that it did not work, which must be true by then.
  TakeBack(std::move(call), kTriesWhileWaitedFor, [this, status](EnterCallPtr taken) {
    if (taken->reply.session() == nullptr) return;
    entering_ = nullptr;
    Forget(taken->request.room());
    // Whoever chose a name that is taken may choose another.
    if (memberships_.empty()) SignOut();
    FailWith(std::move(taken->reply), status);
  });
}

void ChatSession::OnAdded(EnterCallPtr call, const chat::v1::AddResponse& response) {
  entering_ = nullptr;
  json::object answer = UserList(response.users(), response.total());
  answer["epoch"] = response.epoch();
  answer["offset"] = response.offset();
  answer["resume"] = call->request.token();
  if (call->asks_for_missed) AddMissed(response, session_.format(), answer);
  const std::string room = call->request.room();
  call->reply.Ok(answer);
  around_.rooms.Joined(*memberships_.find(room)->second, response.epoch(), response.offset());
  // What waited may have ended it, or moved it on. A new lease that came before the answer passed it over.
  const auto still = memberships_.find(room);
  if (still != memberships_.end() && still->second->joined) around_.restorer.CheckLease(*still->second);
}

}  // namespace hubbub::connector
