#include "services/rpc/callback_threads.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <list>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>

#include "grpc/support/cpu.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/version_info.h"
#include "services/base/cores.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

// Calls that end at once, with a callback: a channel without credentials has no connection.
class Calls {
 public:
  template <typename Then>
  void Make(Then then) {
    Call& call = calls_.emplace_back();
    stub_.UnaryCall(&call.context, "/hubbub/Nothing", grpc::StubOptions(), &call.request, &call.response,
                    [then = std::move(then)](const grpc::Status&) { then(); });
  }
  // Once their callbacks have run.
  void Forget() { calls_.clear(); }

 private:
  struct Call {
    grpc::Slice nothing;
    grpc::ClientContext context;
    grpc::ByteBuffer request{&nothing, 1};
    grpc::ByteBuffer response;
  };

  grpc::GenericStub stub_{grpc::CreateChannel("", nullptr)};
  std::list<Call> calls_;
};

}  // namespace

class CallbackThreads::Impl {
 public:
  explicit Impl(int count) : left_(count) {
    for (int i = 0; i < count; ++i) {
      parking_.Make([this] {
        arrived_.release();
        released_.wait();
        left_.count_down();
      });
    }
    const auto deadline = std::chrono::steady_clock::now() + kArriveWithin;
    while (parked_ < count && arrived_.try_acquire_until(deadline)) ++parked_;
    if (parked_ < count) {
      spdlog::warn("gRPC runs its callbacks on fewer threads than expected: all of them go on");
      parked_ = 0;
      Release();
    }
    waker_ = std::jthread([this](const std::stop_token& stop) { KeepAwake(stop); });
  }
  ~Impl() {
    waker_ = {};
    Release();
    left_.wait();
  }

  int parked() const { return parked_; }

 private:
  static constexpr std::chrono::seconds kArriveWithin{5};
  static constexpr std::chrono::milliseconds kWakeEvery{700};

  void Release() {
    if (!released_.try_wait()) released_.count_down();
  }

  void KeepAwake(const std::stop_token& stop) {
    std::mutex mu;
    std::condition_variable_any stopped;
    std::unique_lock lock(mu);
    while (!stopped.wait_for(lock, stop, kWakeEvery, [&stop] { return stop.stop_requested(); })) {
      waking_.Make([this] { woken_.release(); });
      woken_.acquire();
      waking_.Forget();
    }
  }

  std::counting_semaphore<> arrived_{0};
  std::counting_semaphore<> woken_{0};
  std::latch released_{1};
  std::latch left_;
  Calls parking_;
  Calls waking_;
  int parked_ = 0;
  std::jthread waker_;
};

bool CallbackThreads::Supported() {
  return GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR == 51;
}

// gRPC 1.51, src/cpp/common/completion_queue_cc.cc.
int CallbackThreads::Made() {
  return std::clamp(static_cast<int>(gpr_cpu_num_cores()) / 2, 2, 16);
}

CallbackThreads::CallbackThreads() : CallbackThreads(UsableCores() / 2) {}
CallbackThreads::CallbackThreads(int wanted)
    : impl_(Supported() ? std::make_unique<Impl>(std::max(0, Made() - std::max(1, wanted))) : nullptr) {}
CallbackThreads::~CallbackThreads() = default;

int CallbackThreads::parked() const {
  return impl_ == nullptr ? 0 : impl_->parked();
}

}  // namespace hubbub::rpc
