#include "services/rpc/retry.h"

#include "gtest/gtest.h"

namespace hubbub::rpc {
namespace {

TEST(RetryTest, AStatusTellsWhatHasHappened) {
  using enum Outcome;
  using Code = absl::StatusCode;
  struct Case {
    Code code;
    Outcome of_call;
    Outcome of_item;
  };
  for (const Case& c : {
           Case{Code::kOk, kDone, kDone},
           Case{Code::kInvalidArgument, kDone, kDone},
           Case{Code::kNotFound, kDone, kDone},
           Case{Code::kAlreadyExists, kDone, kDone},
           Case{Code::kPermissionDenied, kDone, kDone},
           Case{Code::kResourceExhausted, kDone, kDone},
           Case{Code::kUnimplemented, kDone, kDone},
           Case{Code::kAborted, kNothingHappened, kNothingHappened},
           Case{Code::kFailedPrecondition, kNothingHappened, kNothingHappened},
           Case{Code::kUnavailable, kUnknown, kNothingHappened},
           Case{Code::kDeadlineExceeded, kUnknown, kDone},
           Case{Code::kCancelled, kUnknown, kDone},
           Case{Code::kUnknown, kUnknown, kUnknown},
           Case{Code::kInternal, kUnknown, kDone},
       }) {
    const absl::Status status(c.code, "");
    EXPECT_EQ(OutcomeOfCall(status), c.of_call) << status;
    EXPECT_EQ(OutcomeOfItem(status), c.of_item) << status;
  }
}

}  // namespace
}  // namespace hubbub::rpc
