#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"
#include "services/base/mutex.h"

namespace hubbub::rpc {

// One server-streaming call that tells a state: of states that come while one is being written only the
// newest is sent, so that a slow reader costs nothing. Thread-safe. gRPC owns it: it calls `on_done` and
// deletes itself at its end.
template <typename Response>
class LatestStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit LatestStream(std::function<void(LatestStream*)> on_done) : on_done_(std::move(on_done)) {}

  void Offer(Response response) {
    MutexLock lock(mu_);
    if (finished_) return;
    next_ = std::move(response);
    Flush();
  }
  void End(grpc::Status status) {
    MutexLock lock(mu_);
    FinishWith(std::move(status));
  }

 private:
  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    if (finished_) return this->Finish(end_);
    if (!ok) return FinishWith(grpc::Status::CANCELLED);
    Flush();
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override {
    on_done_(this);
    delete this;
  }

  void FinishWith(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (std::exchange(finished_, true)) return;
    end_ = std::move(status);
    if (!writing_) this->Finish(end_);
  }
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || !next_) return;
    sent_ = *std::exchange(next_, std::nullopt);
    writing_ = true;
    this->StartWrite(&sent_);
  }

  const std::function<void(LatestStream*)> on_done_;
  Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status end_ ABSL_GUARDED_BY(mu_);
  std::optional<Response> next_ ABSL_GUARDED_BY(mu_);
  Response sent_;  // Read by gRPC while `writing_`.
};

}  // namespace hubbub::rpc
