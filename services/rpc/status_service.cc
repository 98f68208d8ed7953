#include "services/rpc/status_service.h"

#include <cmath>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "fmt/format.h"

namespace hubbub::rpc {

StatusService::StatusService(std::string id, std::function<void(Status&)> fill)
    : id_(std::move(id)), fill_(std::move(fill)), thread_([this](const std::stop_token& stop) {
        std::mutex mu;
        std::condition_variable_any wake;
        std::unique_lock lock(mu);
        while (!wake.wait_for(lock, stop, kLook, [&stop] { return stop.stop_requested(); }))
          Look(Clock::now());
      }) {}

StatusService::Status StatusService::Make(Clock::time_point now) {
  Status status;
  status.set_id(id_);
  status.set_version(HUBBUB_VERSION);
  // In thousandths, so that a server that does next to nothing has not always news.
  status.set_cpu_load(std::round(1000 * load_.Update(now, CpuLoad::Used())) / 1000);
  // After Shutdown there may be nothing left to ask.
  if (shut_down_) {
    status.set_draining(true);
  } else {
    fill_(status);
  }
  return status;
}

StatusService::Status StatusService::Now() {
  MutexLock lock(mu_);
  return Make(Clock::now());
}

void StatusService::Look(Clock::time_point now) {
  MutexLock lock(mu_);
  const Status status = Make(now);
  const auto silent = now - told_at_;
  std::string bytes = status.SerializeAsString();
  const bool news = status.draining() != told_draining_ || (bytes != told_ && silent >= kBetweenChanges);
  if (!news && silent < kMostSilence) return;
  told_ = std::move(bytes);
  told_draining_ = status.draining();
  told_at_ = now;
  for (auto* watcher : watchers_) watcher->Offer(status);
}

void StatusService::Shutdown() {
  thread_ = {};
  MutexLock lock(mu_);
  shut_down_ = true;
  for (auto* watcher : watchers_)
    watcher->End({grpc::StatusCode::UNAVAILABLE, fmt::format("\"{}\" is shutting down", id_)});
}

grpc::ServerWriteReactor<StatusService::Status>* StatusService::WatchStatus(
    grpc::CallbackServerContext*, const directory::v1::WatchStatusRequest*) {
  auto* const watcher = new LatestStream<Status>([this](LatestStream<Status>* done) {
    MutexLock lock(mu_);
    watchers_.erase(done);
  });
  MutexLock lock(mu_);
  if (shut_down_) {
    watcher->End({grpc::StatusCode::UNAVAILABLE, fmt::format("\"{}\" is shutting down", id_)});
    return watcher;
  }
  watchers_.insert(watcher);
  watcher->Offer(Make(Clock::now()));
  return watcher;
}

}  // namespace hubbub::rpc
