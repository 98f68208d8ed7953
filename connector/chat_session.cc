#include "connector/chat_session.h"

#include <random>
#include <utility>

#include "connector/answers.h"
#include "connector/places.h"
#include "fmt/format.h"
#include "services/limits.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

namespace json = boost::json;

// 128 bits that nobody can guess.
std::string NewToken() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device());
  return token;
}

}  // namespace

ChatSession::ChatSession(Session& session, Surroundings& around) : session_(session), around_(around) {}
ChatSession::~ChatSession() = default;

void ChatSession::OnRequest(std::string_view route, json::object body, Reply reply) {
  if (route == route::kSend) return Send(body, std::move(reply));
  if (route == route::kEnter) return Enter(body, std::move(reply));
  if (route == route::kLeave) return Leave(body, std::move(reply));
  if (route == route::kQueryEntry) return reply.Fail(404, "this is a connector: ask the gate for queryEntry");
  reply.Fail(404, UnknownRoute(route));
}

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
  std::shared_ptr<ChatLink> link = around_.links.OwnerOf(*room);
  const uint64_t lease = link == nullptr ? 0 : link->lease();
  if (lease == 0)
    return reply.Fail(503,
                      fmt::format("the chat server of room '{}' can not be reached: try again soon", *room));

  if (user_.empty()) SignIn(*std::move(user));
  auto membership = std::make_unique<Membership>();
  membership->session = &session_;
  membership->user = user_;
  membership->room = *room;
  membership->server = link->server().id;
  membership->lease = lease;
  around_.rooms.Insert(*membership, *this);
  memberships_.emplace(*room, std::move(membership));

  chat::v1::AddRequest request;
  request.set_room(*room);
  request.set_user(user_);
  request.set_lease(lease);
  request.set_session(session_.id());
  request.set_token(token_);
  // One that is too long is none of ours; cut, it might end in the middle of a character.
  if (const json::value* resume = body.if_contains("resume");
      resume != nullptr && resume->is_string() && resume->get_string().size() <= token_.size()) {
    request.set_resume_token(std::string(resume->get_string()));
  }
  const auto epoch = WholeNumberField(body, "epoch");
  const auto offset = WholeNumberField(body, "offset");
  const bool asks_for_missed = epoch && offset && *epoch != 0;
  if (asks_for_missed) {
    request.set_epoch(*epoch);
    request.set_offset(*offset);
  }
  ChatLink& target = *link;
  net::Loop& loop = session_.loop();
  auto undo = PlaceOf(*room, user_, lease, session_.id());
  target.Add(
      loop, std::move(request),
      [&loop, link = std::move(link), undo = std::move(undo), reply = std::move(reply), asks_for_missed,
       this](const absl::Status& status, const chat::v1::AddResponse& response) mutable {
        const bool gone = reply.session() == nullptr;
        const bool unsure =
            absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) || absl::IsCancelled(status);
        if (!unsure && !(gone && status.ok())) {
          if (!gone) OnAdded(undo.room(), status, response, asks_for_missed, std::move(reply));
          return;
        }
        // Added, or perhaps added, for nobody: then `this` is gone, or the client will be told that it did
        // not work, which must be true by then.
        auto held = std::make_shared<Reply>(std::move(reply));
        KickPlace(loop, std::move(link), undo, gone ? kTriesAlone : kTriesWhileWaitedFor,
                  [this, held, name = undo.room(), status] {
                    if (held->session() != nullptr) OnAdded(name, status, {}, false, std::move(*held));
                  });
      });
}

void ChatSession::OnAdded(const std::string& room, const absl::Status& status,
                          const chat::v1::AddResponse& response, bool asks_for_missed, Reply reply) {
  if (!status.ok()) {
    Forget(room);
    // Whoever chose a name that is taken may choose another.
    if (memberships_.empty()) SignOut();
    return FailWith(std::move(reply), status);
  }
  json::object answer = UserList(response.users(), response.total());
  answer["epoch"] = response.epoch();
  answer["offset"] = response.offset();
  answer["resume"] = token_;
  if (asks_for_missed) AddMissed(response, session_.format(), answer);
  reply.Ok(answer);
  SettleIn(*memberships_.find(room)->second, response);
}

void ChatSession::SettleIn(Membership& membership, const chat::v1::AddResponse& response) {
  const std::string room = membership.room;
  around_.rooms.Joined(membership, response.epoch(), response.offset());
  // What waited may have ended it.
  const auto still = memberships_.find(room);
  if (still == memberships_.end()) return;
  // A new lease that came before the answer passed this place over.
  const auto link = around_.links.Find(still->second->server);
  const uint64_t lease = link == nullptr ? 0 : link->lease();
  if (lease != 0 && lease != still->second->lease) OnLeaseLost(*still->second);
}

void ChatSession::Leave(const json::object& body, Reply reply) {
  auto room = TextField(body, "rid");
  if (!room.ok()) return reply.Fail(400, std::string(room.status().message()));
  const auto membership = memberships_.find(*room);
  if (membership == memberships_.end()) return reply.Fail(403, NotInRoom(*room));
  if (!membership->second->joined) return reply.Fail(503, ComingBack(*room));
  const auto place = PlaceOf(*room, user_, membership->second->lease, session_.id());
  std::shared_ptr<ChatLink> link = around_.links.Find(membership->second->server);
  Forget(*room);
  if (link == nullptr) return reply.Ok({{"code", 200}});
  // Answered when it is done: an enter that follows must not be overtaken by it.
  auto held = std::make_shared<Reply>(std::move(reply));
  KickPlace(session_.loop(), std::move(link), place, kTriesWhileWaitedFor, [held] {
    held->Ok({{"code", 200}});
  });
}

void ChatSession::Send(const json::object& body, Reply reply) {
  auto room = TextField(body, "rid");
  if (!room.ok()) return reply.Fail(400, std::string(room.status().message()));
  auto content = TextField(body, "content");
  if (!content.ok()) return reply.Fail(400, std::string(content.status().message()));
  auto target = TextField(body, "target");
  if (!target.ok()) return reply.Fail(400, std::string(target.status().message()));
  if (*target != "*") {
    if (absl::Status status = CheckName("target", *target); !status.ok())
      return reply.Fail(400, std::string(status.message()));
  }
  if (absl::Status status = CheckContent(*content); !status.ok())
    return reply.Fail(400, std::string(status.message()));
  const auto membership = memberships_.find(*room);
  if (membership == memberships_.end()) return reply.Fail(403, NotInRoom(*room));
  // With another lease, or none, the chat server may know nobody in the room: what it took would reach
  // nobody.
  std::shared_ptr<ChatLink> link = around_.links.Find(membership->second->server);
  if (!membership->second->joined || link == nullptr || link->lease() != membership->second->lease) {
    return reply.Fail(503, ComingBack(*room));
  }

  chat::v1::SendRequest request;
  request.set_room(*std::move(room));
  request.set_from(user_);
  request.set_target(*std::move(target));
  request.set_content(*std::move(content));
  if (body.contains("id")) {
    auto id = TextField(body, "id");
    absl::Status status = id.status();
    if (status.ok()) status = CheckName("id", *id);
    if (!status.ok()) return reply.Fail(400, std::string(status.message()));
    request.set_id(*std::move(id));
  }
  ChatLink& owner = *link;
  owner.Send(
      session_.loop(), std::move(request),
      [link = std::move(link), reply = std::move(reply)](const absl::Status& status,
                                                         const chat::v1::SendResponse& response) mutable {
        if (!status.ok()) return FailWith(std::move(reply), status);
        reply.Ok({{"offset", response.offset()}, {"epoch", response.epoch()}, {"time", response.time_ms()}});
      });
}

void ChatSession::OnEnded(Membership& membership, LocalRooms::End end) {
  Forget(std::string(membership.room));
  if (end == LocalRooms::End::kReplaced) session_.Kick("replaced");
}

void ChatSession::Forget(std::string_view room) {
  const auto at = memberships_.find(room);
  around_.rooms.Erase(*at->second);
  memberships_.erase(at);
}

void ChatSession::OnClosed() {
  self_.reset();
  for (auto& [room, membership] : memberships_) {
    around_.rooms.Erase(*membership);
    // One that still waits for the answer to its first Add is taken back when that is here: a Kick now might
    // overtake it.
    if (!membership->joined && !membership->restoring) continue;
    if (auto link = around_.links.Find(membership->server)) {
      KickPlace(session_.loop(), std::move(link), PlaceOf(room, user_, membership->lease, session_.id()),
                kTriesAlone);
    }
  }
  memberships_.clear();
  SignOut();
}

void ChatSession::SignIn(std::string user) {
  tried_ = true;
  user_ = std::move(user);
  token_ = NewToken();
  around_.encoder.Use(session_.format());
  around_.rooms.SignIn(user_, session_);
}

void ChatSession::SignOut() {
  if (user_.empty()) return;
  around_.rooms.SignOut(user_, session_);
  around_.encoder.Unuse(session_.format());
  user_.clear();
}

}  // namespace hubbub::connector
