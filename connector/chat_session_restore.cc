// How a session gets its place back in a room that its chat server has forgotten. After a restart nobody in
// the room is told; in a room that has lived on, the others were told of a leave, and so learn of the return.
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "boost/asio/steady_timer.hpp"
#include "connector/chat_session.h"
#include "connector/places.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

constexpr std::chrono::milliseconds kRestoreAgainAfter{200};

}  // namespace

void ChatSession::OnLeaseLost(Membership& membership) {
  membership.joined = false;
  membership.restoring = true;
  Restore(membership.room);
}

bool ChatSession::IsRestoring(std::string_view room) const {
  const auto at = memberships_.find(room);
  return at != memberships_.end() && at->second->restoring;
}

void ChatSession::Restore(const std::string& room) {
  Membership& membership = *memberships_.find(room)->second;
  std::shared_ptr<ChatLink> link = around_.links.Find(membership.server);
  const uint64_t lease = link == nullptr ? 0 : link->lease();
  // Its stream is down again. When it is back, it may be under this very lease, and nobody would call.
  if (lease == 0) return RestoreLater(room);
  // Even if no answer comes: whoever takes the place back names this lease.
  membership.lease = lease;
  chat::v1::AddRequest request;
  request.set_room(room);
  request.set_user(user_);
  request.set_lease(lease);
  request.set_session(session_.id());
  request.set_token(token_);
  request.set_resume_token(token_);
  request.set_restore(true);
  request.set_epoch(membership.epoch);
  request.set_offset(membership.offset);
  ChatLink& target = *link;
  net::Loop& loop = session_.loop();
  target.Add(
      loop, std::move(request),
      [&loop, link = std::move(link), place = PlaceOf(room, user_, lease, session_.id()),
       self = std::weak_ptr(self_)](const absl::Status& status, const chat::v1::AddResponse& response) {
        const auto alive = self.lock();
        if (alive && (*alive)->IsRestoring(place.room())) {
          (*alive)->OnRestored(place.room(), status, response);
        } else if (status.ok() || absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status)) {
          // The session has left meanwhile.
          KickPlace(loop, link, place, kTriesAlone);
        }
      });
}

void ChatSession::RestoreLater(const std::string& room) {
  auto timer = std::make_shared<boost::asio::steady_timer>(session_.loop().context(), kRestoreAgainAfter);
  timer->async_wait([timer, room, self = std::weak_ptr(self_)](boost::system::error_code error) {
    const auto alive = self.lock();
    if (!error && alive && (*alive)->IsRestoring(room)) (*alive)->Restore(room);
  });
}

void ChatSession::OnRestored(const std::string& room, const absl::Status& status,
                             const chat::v1::AddResponse& response) {
  if (status.ok()) {
    Membership& membership = *memberships_.find(room)->second;
    membership.restoring = false;
    // In another life of the room, all of it is news.
    const bool same_life = response.epoch() == membership.epoch;
    if (response.recovered()) return SettleInAfter(membership, same_life ? membership.offset : 0, response);
    if (!same_life) return SettleIn(membership, response);
    // The client can not be told what it missed. It can come back, and will know that it missed something.
    membership.joined = true;
    return session_.Kick("reconnect");
  }
  // Somebody else has come by this name meanwhile.
  if (absl::IsAlreadyExists(status)) return session_.Kick("replaced");
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsFailedPrecondition(status)) {
    return RestoreLater(room);
  }
  spdlog::warn("a place in room {} could not be restored: {}", room, std::string(status.message()));
  session_.Kick("reconnect");
}

void ChatSession::SettleInAfter(Membership& membership, uint64_t offset,
                                const chat::v1::AddResponse& response) {
  // What was missed comes before what waits, which may hold some of it again; offsets sort that out.
  const auto missed = std::make_shared<const Deliveries>(around_.encoder.Encode(response.missed_events()));
  std::vector<Membership::Held> held;
  held.reserve(missed->size());
  for (size_t index = 0; index < missed->size(); ++index) held.push_back({missed, index});
  membership.held.insert(membership.held.begin(), held.begin(), held.end());
  chat::v1::AddResponse from_there;
  from_there.set_epoch(response.epoch());
  from_there.set_offset(offset);
  SettleIn(membership, from_there);
}

}  // namespace hubbub::connector
