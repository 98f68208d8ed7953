#include "services/rpc/callback_threads.h"

#include <algorithm>
#include <latch>
#include <list>
#include <thread>

#include "grpc/support/cpu.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace hubbub::rpc {

struct CallbackThreads::Parked {
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
  };

  explicit Parked(int count) : arrived(count), left(count) {
    const grpc::Slice nothing;
    for (int i = 0; i < count; ++i) {
      Call& call = calls.emplace_back();
      call.request = grpc::ByteBuffer(&nothing, 1);
      stub.UnaryCall(&call.context, "/hubbub/Park", grpc::StubOptions(), &call.request, &call.response,
                     [this](const grpc::Status&) {
                       arrived.count_down();
                       released.wait();
                       left.count_down();
                     });
    }
    arrived.wait();
  }
  ~Parked() {
    released.count_down();
    left.wait();
  }

  std::latch arrived;
  std::latch released{1};
  std::latch left;
  // Without credentials it leads nowhere: its calls end at once.
  grpc::GenericStub stub{grpc::CreateChannel("", nullptr)};
  std::list<Call> calls;
};

// gRPC 1.51, src/cpp/common/completion_queue_cc.cc.
int CallbackThreads::Made() {
  return std::clamp(static_cast<int>(gpr_cpu_num_cores()) / 2, 2, 16);
}

CallbackThreads::CallbackThreads()
    : CallbackThreads(std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2)) {}
CallbackThreads::CallbackThreads(int wanted)
    : parked_(std::make_unique<Parked>(std::max(0, Made() - std::max(1, wanted)))) {}
CallbackThreads::~CallbackThreads() = default;

}  // namespace hubbub::rpc
