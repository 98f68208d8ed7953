#include "services/rpc/channel.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "services/base/mutex.h"

namespace hubbub::rpc {
namespace {

struct ProcessCredentials {
  Mutex mu;
  std::shared_ptr<grpc::ChannelCredentials> credentials ABSL_GUARDED_BY(mu);
};

// Channels are made deep in a program, by code that does not decide what its process shows: it is a
// setting of the process, as gRPC's own are. Never destroyed: a thread may make a channel at the very end.
ProcessCredentials& OfProcess() {
  static auto& of_process = *new ProcessCredentials;
  return of_process;
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsNow() {
  ProcessCredentials& of_process = OfProcess();
  MutexLock lock(of_process.mu);
  return of_process.credentials != nullptr ? of_process.credentials : grpc::InsecureChannelCredentials();
}

}  // namespace

void SetChannelCredentials(std::shared_ptr<grpc::ChannelCredentials> credentials) {
  ProcessCredentials& of_process = OfProcess();
  MutexLock lock(of_process.mu);
  of_process.credentials = std::move(credentials);
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
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
  return grpc::CreateCustomChannel(address, CredentialsNow(), arguments);
}

}  // namespace hubbub::rpc
