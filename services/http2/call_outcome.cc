#include "services/http2/call_outcome.h"

#include <charconv>
#include <utility>

#include "absl/strings/cord.h"
#include "fmt/format.h"
#include "nghttp2/nghttp2.h"

namespace hubbub::http2 {
namespace {

// Fields of metadata that are kept.
constexpr size_t kMostMetadata = 32;

// grpc-message: a byte may be written as % and two hexadecimal digits. What is not so stays as it is.
std::string Unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    uint8_t byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

absl::StatusCode CodeOf(std::string_view value) {
  int code = -1;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, code);
  const bool known = error == std::errc() && stop == end && code >= 0 && code <= 16;
  return known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown;
}

absl::StatusCode CodeOfClose(uint32_t error) {
  switch (error) {
    case NGHTTP2_REFUSED_STREAM:
      return absl::StatusCode::kUnavailable;
    case NGHTTP2_CANCEL:
      return absl::StatusCode::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return absl::StatusCode::kResourceExhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

void CallOutcome::OnField(std::string_view name, std::string_view value) {
  if (name == "grpc-status") {
    code_ = CodeOf(value);
  } else if (name == "grpc-message") {
    message_ = Unescape(value);
  } else if (name == ":status") {
    http_status_ = value;
  } else if (!name.empty() && name[0] != ':' && metadata_.size() < kMostMetadata) {
    metadata_.emplace_back(name, value);
  }
}

void CallOutcome::Fail(absl::Status status) {
  if (failed_.ok()) failed_ = std::move(status);
}

absl::Status CallOutcome::Status(uint32_t error) const {
  if (!failed_.ok()) return failed_;
  if (code_) {
    absl::Status status(*code_, message_);
    for (const auto& [name, value] : metadata_) status.SetPayload(name, absl::Cord(value));
    return status;
  }
  if (error != NGHTTP2_NO_ERROR) {
    return {CodeOfClose(error),
            fmt::format("the server has closed the stream: {}", nghttp2_http2_strerror(error))};
  }
  if (!http_status_.empty() && http_status_ != "200") {
    // What answers so is no gRPC server, but something on the way to it that cannot reach it.
    return absl::UnavailableError(fmt::format("HTTP status {} instead of gRPC's answer", http_status_));
  }
  return absl::InternalError("the server has ended the call without a status");
}

}  // namespace hubbub::http2
