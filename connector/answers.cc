#include "connector/answers.h"

#include "connector/encoder.h"
#include "fmt/format.h"
#include "services/pomelo/body.h"
#include "services/pomelo/text.h"

namespace hubbub::connector {
namespace {

// Users and events together stay below the 124 KB that the stock JavaScript client can read.
constexpr size_t kMaxStockEventsBytes = size_t{32} * 1024;
constexpr size_t kMaxEventsBytes = size_t{512} * 1024;
constexpr size_t kMaxUserListBytes = size_t{60} * 1024;

}  // namespace

std::string UnknownRoute(std::string_view route) {
  // Text from a client need not be valid UTF-8.
  const std::string_view shown = route.substr(0, 128);
  return pomelo::IsUtf8(shown) ? fmt::format("there is no route '{}' here", shown)
                               : "there is no such route here";
}

std::string NotInRoom(std::string_view room) {
  const std::string_view shown = room.substr(0, 64);
  return pomelo::IsUtf8(shown) ? fmt::format("you are not in room '{}': enter it first", shown)
                               : "you are not in this room: enter it first";
}

boost::json::object UserList(const google::protobuf::RepeatedPtrField<std::string>& users, uint32_t total) {
  boost::json::array names;
  size_t bytes = 0;
  for (const std::string& user : users) {
    bytes += pomelo::JsonSize(user) + 3;
    if (bytes > kMaxUserListBytes) break;
    names.emplace_back(user);
  }
  return {{"users", std::move(names)}, {"total", total}};
}

std::string ComingBack(std::string_view room) {
  return fmt::format("the chat server of room '{}' is away or just coming back: try again soon", room);
}

void AddMissed(const chat::v1::AddResponse& response, WireFormat format, boost::json::object& answer) {
  boost::json::array events = PushBodies(response.missed_events());
  const size_t most = format == WireFormat::kProtobufCesu8 ? kMaxStockEventsBytes : kMaxEventsBytes;
  const bool all = response.recovered() && pomelo::JsonBody(events).size() <= most;
  answer["recovered"] = all;
  answer["events"] = all ? std::move(events) : boost::json::array();
}

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

void FailWith(Reply reply, const absl::Status& status) {
  switch (status.code()) {
    // gRPC's own words would mean nothing to a client.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return reply.Fail(CodeOf(status), "the room's chat server can not be reached: try again soon");
    case absl::StatusCode::kDeadlineExceeded:
      return reply.Fail(CodeOf(status), "the room's chat server did not answer in time: try again soon");
    default:
      return reply.Fail(CodeOf(status), std::string(status.message()));
  }
}

}  // namespace hubbub::connector
