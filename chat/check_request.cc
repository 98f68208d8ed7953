#include "chat/check_request.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "chat/event.h"
#include "fmt/format.h"
#include "services/limits.h"

namespace hubbub::chat {
namespace {

constexpr size_t kMaxTokenBytes = 128;
constexpr uint32_t kMaxParts = 1024;

absl::Status CheckToken(std::string_view field, const std::string& token, size_t max_bytes = kMaxTokenBytes) {
  if (token.size() <= max_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} has {} bytes: at most {} are allowed", field, token.size(), max_bytes));
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
  for (const v1::RoomPlaces& room : request.rooms()) {
    if (status.ok()) status = CheckName("rooms.room", room.room());
    for (const v1::RestoredPlace& place : room.places()) {
      if (!status.ok()) return status;
      status = First({CheckName("rooms.places.user", place.user()),
                      Require(place.session() != 0, "rooms.places.session is 0"),
                      CheckToken("rooms.places.token", place.token())});
    }
  }
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
  return First(
      {Require(request.page_size() >= 0, "page_size is negative: give 0 for the default, or up to 1000"),
       CheckToken("page_token", request.page_token(), kMaxNameBytes)});
}

}  // namespace hubbub::chat
