#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"

namespace hubbub::rpc {

// What channels show to the servers, and demand of them; null: nothing. Thread-safe, to be shared.
using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

// A channel to another server of the suite, as all of them make it: keepalive that notices a peer that hangs
// within 3 seconds, quick reconnects, each of which has a second. A channel is thread-safe and carries all
// calls to one server: share it.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const Credentials& credentials = nullptr);

}  // namespace hubbub::rpc
