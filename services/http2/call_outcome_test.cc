#include "services/http2/call_outcome.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"

namespace hubbub::http2 {
namespace {

TEST(CallOutcomeTest, IsWhatTheServerSaid) {
  struct Case {
    std::vector<std::pair<const char*, const char*>> fields;
    uint32_t error = NGHTTP2_NO_ERROR;
    absl::StatusCode code = absl::StatusCode::kOk;
    const char* message = "";
  };
  const std::vector<Case> cases = {
      {{{":status", "200"}, {"grpc-status", "0"}}},
      {{{"grpc-status", "10"}, {"grpc-message", "the room has moved"}},
       NGHTTP2_NO_ERROR,
       absl::StatusCode::kAborted,
       "the room has moved"},
      // The status counts, not how the stream was closed after it.
      {{{"grpc-status", "0"}}, NGHTTP2_CANCEL},
      {{{"grpc-status", "5"}, {"grpc-message", "caf%C3%A9: 100%25, 5%, %zz, %4"}},
       NGHTTP2_NO_ERROR,
       absl::StatusCode::kNotFound,
       "café: 100%, 5%, %zz, %4"},
      {{{"grpc-status", "17"}}, NGHTTP2_NO_ERROR, absl::StatusCode::kUnknown},
      {{{"grpc-status", "-1"}}, NGHTTP2_NO_ERROR, absl::StatusCode::kUnknown},
      {{{"grpc-status", "1x"}}, NGHTTP2_NO_ERROR, absl::StatusCode::kUnknown},
      {{},
       NGHTTP2_REFUSED_STREAM,
       absl::StatusCode::kUnavailable,
       "the server has closed the stream: REFUSED_STREAM"},
      {{}, NGHTTP2_CANCEL, absl::StatusCode::kCancelled, "the server has closed the stream: CANCEL"},
      {{},
       NGHTTP2_ENHANCE_YOUR_CALM,
       absl::StatusCode::kResourceExhausted,
       "the server has closed the stream: ENHANCE_YOUR_CALM"},
      {{},
       NGHTTP2_INADEQUATE_SECURITY,
       absl::StatusCode::kPermissionDenied,
       "the server has closed the stream: INADEQUATE_SECURITY"},
      {{},
       NGHTTP2_PROTOCOL_ERROR,
       absl::StatusCode::kInternal,
       "the server has closed the stream: PROTOCOL_ERROR"},
      {{{":status", "502"}},
       NGHTTP2_NO_ERROR,
       absl::StatusCode::kUnavailable,
       "HTTP status 502 instead of gRPC's answer"},
      {{{":status", "200"}},
       NGHTTP2_NO_ERROR,
       absl::StatusCode::kInternal,
       "the server has ended the call without a status"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    CallOutcome outcome;
    for (const auto& [name, value] : cases[i].fields) outcome.OnField(name, value);
    const absl::Status status = outcome.Status(cases[i].error);
    EXPECT_EQ(status.code(), cases[i].code) << "case " << i;
    EXPECT_EQ(status.message(), cases[i].message) << "case " << i;
  }
}

TEST(CallOutcomeTest, MetadataOfARefusalIsKept) {
  CallOutcome outcome;
  outcome.OnField(":status", "200");
  outcome.OnField("hubbub-owner", "chat-2");
  outcome.OnField("grpc-status", "10");
  const absl::Status status = outcome.Status(NGHTTP2_NO_ERROR);
  ASSERT_TRUE(status.GetPayload("hubbub-owner").has_value());
  EXPECT_EQ(*status.GetPayload("hubbub-owner"), absl::Cord("chat-2"));
  EXPECT_FALSE(status.GetPayload(":status").has_value());
}

TEST(CallOutcomeTest, OwnReasonsGoFirst) {
  CallOutcome outcome;
  outcome.Fail(absl::ResourceExhaustedError("too long"));
  outcome.Fail(absl::CancelledError("cancelled"));
  outcome.OnField("grpc-status", "0");
  EXPECT_EQ(outcome.Status(NGHTTP2_CANCEL), absl::ResourceExhaustedError("too long"));
}

}  // namespace
}  // namespace hubbub::http2
