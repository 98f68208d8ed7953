#include "chat/connectors/check_request.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "chat/rooms/event.h"
#include "fmt/format.h"
#include "services/base/limits.h"

namespace hubbub::chat {
namespace {

constexpr size_t kMaxTokenBytes = 128;
constexpr uint32_t kMaxParts = 1024;

absl::Status CheckToken(std::string_view field, const std::string& token) {
  if (token.size() <= kMaxTokenBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} has {} bytes: at most {} are allowed", field, token.size(), kMaxTokenBytes));
}

absl::Status First(std::initializer_list<absl::Status> checks) {
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

absl::Status Require(bool condition, const char* text) {
  return condition ? absl::OkStatus() : absl::InvalidArgumentError(text);
}

// An error of one entry of a list, which it names.
absl::Status In(const std::string& entry, const absl::Status& status) {
  if (status.ok()) return status;
  return {status.code(), fmt::format("{}.{}", entry, std::string(status.message()))};
}

absl::Status Check(const v1::RoomPlaces& room) {
  absl::Status status = CheckName("room", room.room());
  for (int i = 0; status.ok() && i < room.places_size(); ++i) {
    const v1::RestoredPlace& place = room.places(i);
    status = First({CheckName("user", place.user()), Require(place.session() != 0, "session is 0"),
                    CheckToken("token", place.token())});
    if (!status.ok()) return In(fmt::format("places[{}]", i), status);
  }
  for (int i = 0; status.ok() && i < room.shown_users_size(); ++i)
    status = In(fmt::format("shown_users[{}]", i), CheckName("user", room.shown_users(i)));
  return status;
}

}  // namespace

absl::Status CheckRequest(const v1::AddRequest& request) {
  return First({CheckName("room", request.room()), CheckName("user", request.user()),
                Require(request.lease() != 0, "lease is 0: give the one of the connector's Subscribe stream"),
                Require(request.session() != 0, "session is 0: give the connector's number of the session"),
                CheckToken("token", request.token()), CheckToken("resume_token", request.resume_token())});
}

absl::Status CheckRequest(const v1::RestoreRequest& request) {
  absl::Status status = First(
      {Require(request.lease() != 0, "lease is 0: give the one of the connector's Subscribe stream"),
       request.lost_server().empty() ? absl::OkStatus() : CheckName("lost_server", request.lost_server()),
       Require(request.parts() <= kMaxParts && request.part() < std::max(request.parts(), 1U),
               "part must be less than parts, and parts at most 1024")});
  for (int i = 0; status.ok() && i < request.rooms_size(); ++i)
    status = In(fmt::format("rooms[{}]", i), Check(request.rooms(i)));
  return status;
}

absl::Status CheckRequest(const v1::KickRequest& request) {
  return First(
      {CheckName("room", request.room()), CheckName("user", request.user()),
       Require(request.lease() == 0 || request.session() != 0,
               "session is 0 though lease is given: give both for one place, neither for all of them"),
       Require(request.session() == 0 || request.lease() != 0,
               "lease is 0 though session is given: give both for one place, neither for all of them")});
}

absl::Status CheckRequest(const v1::SendRequest& request) {
  const bool everybody = request.target().empty() || request.target() == kEverybody;
  return First({CheckName("room", request.room()), CheckName("from", request.from()),
                everybody ? absl::OkStatus() : CheckName("target", request.target()),
                CheckContent(request.content()),
                request.id().empty() ? absl::OkStatus() : CheckName("id", request.id())});
}

absl::Status CheckRequest(const v1::SubscribeRequest& request) {
  return First({CheckName("connector", request.connector()),
                Require(request.lease() == 0 || request.next_seq() != 0,
                        "next_seq is 0 though lease is given: events are counted from 1")});
}

absl::Status CheckRequest(const v1::GetRoomRequest& request) {
  return CheckName("room", request.room());
}

absl::Status CheckRequest(const v1::ListRoomsRequest& request) {
  return Require(request.page_size() >= 0, "page_size is negative: give 0 for the default, or up to 1000");
}

}  // namespace hubbub::chat
