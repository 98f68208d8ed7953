#include "services/rpc/channel.h"

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace hubbub::rpc {
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const Credentials& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 1'200);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 1'500);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // In spite of its name this bounds no backoff: it is the time in which a connection must be made and the
  // server must have said its first word. A busy one needs some. With what keepalive takes it is less than
  // the 5 seconds for which clients wait for a chat server that hangs.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(4 << 20);
  return grpc::CreateCustomChannel(
      address, credentials == nullptr ? grpc::InsecureChannelCredentials() : credentials, arguments);
}

}  // namespace hubbub::rpc
