// How a session speaks in a room.
#include <utility>

#include "connector/answers.h"
#include "connector/chat_session.h"
#include "connector/pause.h"
#include "services/limits.h"

namespace hubbub::connector {
namespace {

constexpr std::chrono::milliseconds kAgainAfter{50};

}  // namespace

struct ChatSession::SendCall {
  chat::v1::SendRequest request;
  Reply reply;
  net::Clock::time_point deadline;
};

void ChatSession::Send(const boost::json::object& body, Reply reply) {
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
  if (!memberships_.contains(*room)) return reply.Fail(403, NotInRoom(*room));

  SendCallPtr call(new SendCall{
      .request = {}, .reply = std::move(reply), .deadline = net::Clock::now() + around_.patience});
  chat::v1::SendRequest& request = call->request;
  request.set_room(*std::move(room));
  request.set_from(user_);
  request.set_target(*std::move(target));
  request.set_content(*std::move(content));
  if (body.contains("id")) {
    auto id = TextField(body, "id");
    absl::Status status = id.status();
    if (status.ok()) status = CheckName("id", *id);
    if (!status.ok()) return call->reply.Fail(400, std::string(status.message()));
    request.set_id(*std::move(id));
  }
  TrySend(std::move(call));
}

void ChatSession::TrySend(SendCallPtr call) {
  const auto at = memberships_.find(call->request.room());
  if (at == memberships_.end()) return call->reply.Fail(403, NotInRoom(call->request.room()));
  const Membership& membership = *at->second;
  std::shared_ptr<ChatLink> link = membership.joined ? around_.links.Find(membership.server) : nullptr;
  // With another lease, or none, the chat server may know nobody in the room: what it took would reach
  // nobody.
  if (link == nullptr || link->lease() != membership.lease)
    return SendLater(std::move(call), absl::UnavailableError(ComingBack(membership.room)));
  ChatLink& owner = *link;
  chat::v1::SendRequest request = call->request;
  owner.Send(
      session_.loop(), std::move(request),
      [this, link = std::move(link), call = std::move(call)](const absl::Status& status,
                                                             const chat::v1::SendResponse& response) mutable {
        if (status.ok()) {
          return call->reply.Ok(
              {{"offset", response.offset()}, {"epoch", response.epoch()}, {"time", response.time_ms()}});
        }
        if (call->reply.session() == nullptr) return;
        const bool not_done = absl::IsAborted(status) || absl::IsFailedPrecondition(status);
        // One with an id may be said again though it was perhaps heard: the room knows it by its id.
        const bool may_repeat =
            !call->request.id().empty() &&
            (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status));
        if (not_done || may_repeat) return SendLater(std::move(call), status);
        FailWith(std::move(call->reply), status);
      });
}

void ChatSession::SendLater(SendCallPtr call, const absl::Status& status) {
  if (net::Clock::now() + kAgainAfter >= call->deadline) return FailWith(std::move(call->reply), status);
  After(session_.loop(), kAgainAfter, [this, call = std::move(call)]() mutable {
    if (call->reply.session() != nullptr) TrySend(std::move(call));
  });
}

}  // namespace hubbub::connector
