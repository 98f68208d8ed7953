#pragma once

#include <chrono>

#include "absl/status/status.h"

namespace hubbub::rpc {

// The longest that a server waits for the answer of another one to one call. After it the call's outcome is
// kUnknown.
inline constexpr std::chrono::milliseconds kCallDeadline{2'000};

// What a status says about retrying. A value; free of gRPC, so that code which knows no gRPC may use it.
enum class Outcome {
  kDone,             // The call succeeded, or failed for a reason that a retry does not change.
  kNothingHappened,  // The call did nothing; a retry, here or at the server that has the room, may succeed.
  kUnknown,          // The call may have succeeded: retry it only if doing it twice does no harm.
};

// The outcome of one item of an answer that has arrived, such as a send of a SendStream. The server itself
// wrote this status, so UNAVAILABLE, like ABORTED and FAILED_PRECONDITION, means that it did nothing, and it
// says UNKNOWN if it cannot tell.
inline Outcome OutcomeOfItem(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnavailable:
      return Outcome::kNothingHappened;
    case absl::StatusCode::kUnknown:
      return Outcome::kUnknown;
    default:
      return Outcome::kDone;
  }
}

// The outcome of a whole call. gRPC uses some codes itself when a connection breaks or a deadline passes, and
// then nobody knows how far the call got: grpc.github.io/grpc/core/md_doc_statuscodes.html.
inline Outcome OutcomeOfCall(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return Outcome::kUnknown;
    default:
      return OutcomeOfItem(status);
  }
}

}  // namespace hubbub::rpc
