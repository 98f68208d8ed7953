#pragma once

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hubbub::rpc {

// Between absl::Status inside and grpc::Status at the rim. The codes of both are the same numbers; gRPC's C++
// library has no conversion in the releases that we support. Details and payloads are not carried over; a
// call (services/rpc/grpc_call) makes payloads of its trailing metadata.
inline grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

inline absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace hubbub::rpc
