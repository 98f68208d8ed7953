#include "connector/chat_servers/client_errors.h"

#include "fmt/format.h"
#include "services/base/utf8.h"
#include "services/client/contract.h"
#include "services/pomelo/text.h"
#include "services/rpc/retry.h"

namespace hubbub::connector {

std::string UnknownRoute(std::string_view route) {
  if (route == client::route::kQueryEntry) return "this is a connector: ask the gate for queryEntry";
  // Text from a client need not be valid UTF-8.
  const std::string_view shown = route.substr(0, 128);
  return IsUtf8(shown) ? fmt::format("there is no route '{}' here", shown) : "there is no such route here";
}

std::string NotInRoom(std::string_view room) {
  const std::string_view shown = room.substr(0, 64);
  return IsUtf8(shown) ? fmt::format("you are not in room '{}': enter it first", shown)
                       : "you are not in this room: enter it first";
}

std::string ComingBack(std::string_view room) {
  return fmt::format("the chat server of room '{}' is away or just coming back: try again soon", room);
}

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

void FailWith(client::Reply reply, const absl::Status& status) {
  switch (status.code()) {
    // gRPC's own words would mean nothing to a client.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return reply.Fail(CodeOf(status), "the room's chat server cannot be reached: try again soon");
    case absl::StatusCode::kDeadlineExceeded:
      return reply.Fail(CodeOf(status), "the room's chat server did not answer in time: try again soon");
    default:
      return reply.Fail(CodeOf(status), std::string(status.message()));
  }
}

absl::Status FaultOfCall(const absl::Status& status) {
  // Told apart from the others: the server may only be slow.
  if (absl::IsDeadlineExceeded(status)) return status;
  const bool at_fault = rpc::OutcomeOfCall(status) == rpc::Outcome::kUnknown ||
                        absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
  return at_fault ? absl::UnavailableError(status.message()) : status;
}

}  // namespace hubbub::connector
