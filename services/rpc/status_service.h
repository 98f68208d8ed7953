#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "absl/container/flat_hash_set.h"
#include "hubbub/directory/v1/status.grpc.pb.h"
#include "services/base/cpu_load.h"
#include "services/base/mutex.h"
#include "services/rpc/latest_stream.h"

namespace hubbub::rpc {

// Tells all watchers the status of this server: proto/hubbub/directory/v1/status.proto. A thread of its own
// looks, so that the status goes on while the program drains. Thread-safe. Outlives the gRPC server.
class StatusService final : public directory::v1::StatusService::CallbackService {
 public:
  using Status = directory::v1::WatchStatusResponse;

  // `fill` sets what this kind of server tells beside its id, version and load. Called on any thread until
  // Shutdown has returned; must not block.
  StatusService(std::string id, std::function<void(Status&)> fill);
  ~StatusService() override { Shutdown(); }

  Status Now() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the streams, so that the server can shut down.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

  grpc::ServerWriteReactor<Status>* WatchStatus(grpc::CallbackServerContext* context,
                                                const directory::v1::WatchStatusRequest* request) override;

 private:
  using Clock = std::chrono::steady_clock;

  Status Make(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells the watchers if there is a reason to.
  void Look(Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);

  static constexpr std::chrono::milliseconds kLook{250};
  static constexpr std::chrono::seconds kBetweenChanges{1};
  // Even an unchanged status is told so often, so that a watcher sees that the server lives.
  static constexpr std::chrono::seconds kMostSilence{5};

  const std::string id_;
  const std::function<void(Status&)> fill_;
  Mutex mu_;
  absl::flat_hash_set<LatestStream<Status>*> watchers_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
  CpuLoad load_ ABSL_GUARDED_BY(mu_){Clock::now(), CpuLoad::Used()};
  std::string told_ ABSL_GUARDED_BY(mu_);  // What the watchers were told last, as the next two.
  bool told_draining_ ABSL_GUARDED_BY(mu_) = false;
  Clock::time_point told_at_ ABSL_GUARDED_BY(mu_);
  std::jthread thread_;
};

}  // namespace hubbub::rpc
