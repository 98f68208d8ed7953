#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace hubbub::http2 {

// The outcome of a call, from the headers and trailers of its answer and from how its stream was closed (gRPC
// over HTTP2, "Responses" and "HTTP2 Transport Mapping"). Not thread-safe.
class CallOutcome {
 public:
  // A field of the headers or of the trailers.
  void OnField(std::string_view name, std::string_view value);
  // It ends for a reason of ours.
  void Fail(absl::Status status);

  // After its end. `error`: HTTP/2's code with which the stream was closed, 0 for none.
  absl::Status Status(uint32_t error) const;

 private:
  std::optional<absl::StatusCode> code_;  // grpc-status.
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::string message_;  // grpc-message.
  std::string http_status_;
  absl::Status failed_;
};

}  // namespace hubbub::http2
