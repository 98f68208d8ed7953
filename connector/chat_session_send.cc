// How a session speaks in a room.
#include <utility>

#include "connector/answers.h"
#include "connector/chat_session.h"
#include "connector/room_sends.h"
#include "services/limits.h"
#include "services/session/fields.h"

namespace hubbub::connector {
namespace {

// So much of a session's sends may wait for answers before its next request is read.
constexpr size_t kMostSends = 64;
constexpr size_t kMostSendBytes = size_t{64} * 1024;

}  // namespace

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
  const auto at = memberships_.find(*room);
  if (at == memberships_.end()) return reply.Fail(403, NotInRoom(*room));

  chat::v1::SendRequest request;
  if (body.contains("id")) {
    auto id = TextField(body, "id");
    absl::Status status = id.status();
    if (status.ok()) status = CheckName("id", *id);
    if (!status.ok()) return reply.Fail(400, std::string(status.message()));
    request.set_id(*std::move(id));
  }
  request.set_room(*std::move(room));
  request.set_from(user_);
  request.set_target(*std::move(target));
  request.set_content(*std::move(content));
  Membership& membership = *at->second;
  if (membership.sends == nullptr)
    membership.sends = std::make_shared<RoomSends>(membership, around_.send_lines, load_);
  const auto sends = membership.sends;
  if (load_->sends < kMostSends && load_->bytes < kMostSendBytes) reply.LetNextCome();
  sends->Send(std::move(request), std::move(reply), net::Clock::now() + around_.patience);
}

}  // namespace hubbub::connector
