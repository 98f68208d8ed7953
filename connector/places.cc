#include "connector/places.h"

#include <utility>

#include "spdlog/spdlog.h"

namespace hubbub::connector {

chat::v1::KickRequest PlaceOf(const std::string& room, const std::string& user, uint64_t lease,
                              uint64_t session) {
  chat::v1::KickRequest place;
  place.set_room(room);
  place.set_user(user);
  place.set_lease(lease);
  place.set_session(session);
  return place;
}

void KickPlace(net::Loop& loop, std::shared_ptr<ChatLink> link, const chat::v1::KickRequest& place,
               std::function<void()> done, int tries_left) {
  ChatLink& target = *link;
  target.Kick(loop, place,
              [&loop, link = std::move(link), place, done = std::move(done), tries_left](
                  const absl::Status& status, const auto&) mutable {
                if (absl::IsDeadlineExceeded(status) && tries_left > 0) {
                  return KickPlace(loop, std::move(link), place, std::move(done), tries_left - 1);
                }
                if (!status.ok() && !absl::IsUnavailable(status) && !absl::IsNotFound(status)) {
                  spdlog::warn("chat server {} was not told that a user left: {}", link->server().id,
                               std::string(status.message()));
                }
                if (done) done();
              });
}

}  // namespace hubbub::connector
