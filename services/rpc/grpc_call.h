#pragma once

#include <memory>

#include "grpcpp/channel.h"
#include "services/http2/call.h"
#include "services/net/loop.h"

namespace hubbub::rpc {

// Opens calls on this channel by gRPC's library, and brings what becomes of them to `loop`, which outlives
// them: its Stop waits for their ends.
http2::OpenCall GrpcCalls(net::Loop& loop, std::shared_ptr<grpc::Channel> channel);

}  // namespace hubbub::rpc
