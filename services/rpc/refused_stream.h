#pragma once

#include <utility>

#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"

namespace hubbub::rpc {

// The reactor of a server-streaming call that is refused with `status` before it has sent anything. gRPC owns
// it: it deletes itself at the end of the call.
template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedStream(grpc::Status status) { this->Finish(std::move(status)); }

 private:
  void OnDone() override { delete this; }
};

}  // namespace hubbub::rpc
