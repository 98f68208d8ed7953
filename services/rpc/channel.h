#pragma once

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"

namespace hubbub::rpc {

// A channel to another server of the suite, as all of them make it: keepalive that notices a peer that hangs
// within 3 seconds, quick reconnects, each of which has a second. A channel is thread-safe and carries all
// calls to one server: share it.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

// What the channels of this process show and demand from now on; null: nothing, as before the first call. A
// process is one server and has one certificate. For main, before there is a channel. Thread-safe.
void SetChannelCredentials(std::shared_ptr<grpc::ChannelCredentials> credentials);

}  // namespace hubbub::rpc
