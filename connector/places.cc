#include "connector/places.h"

#include <chrono>
#include <utility>

#include "connector/pause.h"
#include "services/log.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

constexpr std::chrono::milliseconds kTryAgainAfter{500};

bool PerhapsNotHeard(const absl::Status& status) {
  return absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsAborted(status);
}

}  // namespace

chat::v1::KickRequest PlaceOf(const std::string& room, const std::string& user, uint64_t lease,
                              uint64_t session) {
  chat::v1::KickRequest place;
  place.set_room(room);
  place.set_user(user);
  place.set_lease(lease);
  place.set_session(session);
  return place;
}

void KickPlace(net::Loop& loop, std::shared_ptr<ChatLink> link, const chat::v1::KickRequest& place, int tries,
               const std::string& request_id, std::function<void()> done) {
  // With another lease, the chat server has forgotten the place.
  if (const uint64_t lease = link->lease(); lease != 0 && lease != place.lease()) {
    if (done) done();
    return;
  }
  ChatLink& target = *link;
  target.Kick(
      loop, place, request_id,
      [&loop, link = std::move(link), place, tries, request_id, done = std::move(done)](
          const absl::Status& status, const auto&) mutable {
        if (!PerhapsNotHeard(status) || tries <= 1) {
          if (!status.ok() && !absl::IsNotFound(status)) {
            spdlog::warn("chat server {} was not told that a user left: {}{}", link->server().id,
                         std::string(status.message()), LogFields({{"request", request_id}}));
          }
          if (done) done();
          return;
        }
        After(loop, kTryAgainAfter,
              [&loop, link = std::move(link), place, tries, request_id, done = std::move(done)]() mutable {
                KickPlace(loop, std::move(link), place, tries - 1, request_id, std::move(done));
              });
      });
}

}  // namespace hubbub::connector
