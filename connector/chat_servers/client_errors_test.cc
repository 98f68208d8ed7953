#include "connector/chat_servers/client_errors.h"

#include "gtest/gtest.h"

namespace hubbub::connector {
namespace {

using Code = absl::StatusCode;

TEST(ClientErrors, WhoIsAtFaultDecidesAboutTheCode) {
  const struct {
    Code status;
    int item;  // If the chat server has said so of one request,
    int call;  // and if a whole call has ended so.
  } cases[] = {
      {Code::kInvalidArgument, 400, 400},    {Code::kUnauthenticated, 401, 503},
      {Code::kPermissionDenied, 403, 503},   {Code::kNotFound, 404, 404},
      {Code::kResourceExhausted, 429, 429},  {Code::kAlreadyExists, 500, 500},
      {Code::kOutOfRange, 500, 500},         {Code::kUnimplemented, 500, 500},
      {Code::kDataLoss, 500, 500},           {Code::kInternal, 500, 503},
      {Code::kFailedPrecondition, 503, 503}, {Code::kAborted, 503, 503},
      {Code::kCancelled, 503, 503},          {Code::kUnknown, 503, 503},
      {Code::kUnavailable, 503, 503},        {Code::kDeadlineExceeded, 504, 504},
  };
  for (const auto& c : cases) {
    const absl::Status status(c.status, "why");
    EXPECT_EQ(CodeOf(status), c.item) << status;
    EXPECT_EQ(CodeOf(FaultOfCall(status)), c.call) << status;
  }
}

}  // namespace
}  // namespace hubbub::connector
