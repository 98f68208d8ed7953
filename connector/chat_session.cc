#include "connector/chat_session.h"

#include <utility>

#include "connector/answers.h"
#include "connector/places.h"
#include "services/session/fields.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;

}  // namespace

ChatSession::ChatSession(Session& session, Surroundings& around) : session_(session), around_(around) {}
ChatSession::~ChatSession() = default;

void ChatSession::OnRequest(std::string_view route, json::object body, Reply reply) {
  if (route == route::kSend) return Send(body, std::move(reply));
  if (route == route::kEnter) {
    return AfterSends(std::move(reply),
                      [this, body = std::move(body)](Reply held) { Enter(body, std::move(held)); });
  }
  if (route == route::kLeave) {
    return AfterSends(std::move(reply),
                      [this, body = std::move(body)](Reply held) { Leave(body, std::move(held)); });
  }
  if (route == route::kQueryEntry) return reply.Fail(404, "this is a connector: ask the gate for queryEntry");
  reply.Fail(404, UnknownRoute(route));
}

void ChatSession::AfterSends(Reply reply, std::function<void(Reply)> then) {
  if (load_->sends == 0) return then(std::move(reply));
  // The session takes no further request before this reply: there is only one of these.
  load_->when_idle = [held = std::make_shared<Reply>(std::move(reply)), then = std::move(then)] {
    if (held->session() != nullptr) then(std::move(*held));
  };
}

void ChatSession::Leave(const json::object& body, Reply reply) {
  auto room = TextField(body, "rid");
  if (!room.ok()) return reply.Fail(400, std::string(room.status().message()));
  const auto at = memberships_.find(*room);
  if (at == memberships_.end()) return reply.Fail(403, NotInRoom(*room));
  const Membership& membership = *at->second;
  // A place that is being restored is taken back when it is there.
  std::shared_ptr<ChatLink> link = membership.joined ? around_.links.Find(membership.server) : nullptr;
  const auto place = PlaceOf(*room, user_, membership.lease, session_.id());
  Forget(*room);
  if (link == nullptr) return reply.Ok({{"code", 200}});
  // Answered when it is done: an enter that follows must not be overtaken by it.
  auto held = std::make_shared<Reply>(std::move(reply));
  KickPlace(session_.loop(), std::move(link), place, kTriesWhileWaitedFor, session_.request_id(), [held] {
    held->Ok({{"code", 200}});
  });
}

void ChatSession::OnEnded(Membership& membership, LocalRooms::End end) {
  Forget(std::string(membership.room));
  if (end != LocalRooms::End::kReplaced) return;
  replaced_ = true;
  session_.Kick("replaced");
}

void ChatSession::Forget(std::string_view room) {
  const auto at = memberships_.find(room);
  const std::unique_ptr<Membership> membership = std::move(at->second);
  memberships_.erase(at);
  around_.restorer.Depart(*membership);
  around_.rooms.Erase(*membership);
  if (membership->sends != nullptr) membership->sends->Close();
}

void ChatSession::OnClosed(bool clean) {
  self_.reset();
  load_->when_idle = nullptr;
  // Who has replaced it in one room is about to come for the others.
  clean = clean && !replaced_;
  EndEnter(clean);
  // While this server drains, places wait to be taken over by the session's resume token, before the grace of
  // the lease ends them.
  const bool take_back = !around_.draining || !KnowsTokens();
  for (auto& [room, membership] : memberships_) {
    membership->keep_name = !clean;
    membership->wait_ms = WaitMs();
    around_.partings.Add(std::move(membership), take_back);
  }
  memberships_.clear();
  SignOut();
}

void ChatSession::SignIn(std::string user, std::string token) {
  tried_ = true;
  user_ = std::move(user);
  token_ = std::move(token);
  around_.encoder.Use(session_.wire());
  around_.rooms.SignIn(user_, session_);
}

void ChatSession::SignOut() {
  if (user_.empty()) return;
  around_.rooms.SignOut(user_, session_);
  around_.encoder.Unuse(session_.wire());
  user_.clear();
}

}  // namespace hubbub::connector
