#include "chat/connectors/leases.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

absl::StatusOr<Outbox::Reactor*> Leases::Subscribe(const std::string& connector, uint64_t lease,
                                                   uint64_t next_seq, const std::string& peer,
                                                   uint64_t connector_run) {
  if (lease != 0) {
    if (Outbox::Reactor* const stream = Resume(connector, lease, next_seq, peer)) return stream;
  }
  MutexLock lock(mu_);
  if (shut_down_) return absl::UnavailableError(ShutdownText());
  if (outboxes_.size() >= options_.max_leases) {
    return absl::ResourceExhaustedError(
        fmt::format("connector \"{}\" gets no lease: chat server \"{}\" has {}, the most allowed", connector,
                    server_, outboxes_.size()));
  }
  if (lease == 0) WarnOfTwins(connector, peer);
  CutEarlier(connector, connector_run);
  uint64_t id = options_.new_lease();
  while (outboxes_.contains(id)) id = options_.new_lease();
  // With mu_ held, so that EndAll, which follows a change of the incarnation, sees a lease of the old one.
  const uint64_t incarnation = cluster_ == nullptr ? 1 : cluster_->incarnation();
  const OutboxPtr outbox =
      std::make_shared<Outbox>(connector, id, incarnation, options_.queue, counters_, timer_, connector_run);
  // With mu_ held, so that Shutdown either prevents this stream or sees it.
  Outbox::Reactor* const stream = outbox->Attach(1, peer);
  outboxes_.emplace(id, outbox);
  spdlog::info("connector \"{}\" at {} has the new lease {}", connector, peer, id);
  return stream;
}

Outbox::Reactor* Leases::Resume(const std::string& connector, uint64_t lease, uint64_t next_seq,
                                const std::string& peer) {
  MutexLock lock(mu_);
  if (shut_down_) return nullptr;
  const auto it = outboxes_.find(lease);
  if (it == outboxes_.end() || it->second->connector() != connector) return nullptr;
  if (Outbox::Reactor* const stream = it->second->Attach(next_seq, peer)) {
    spdlog::info("connector \"{}\" at {} has resumed the lease {} from event {}", connector, peer, lease,
                 next_seq);
    return stream;
  }
  // The connector will go on with another lease: nobody is left to read this one.
  it->second->End({grpc::StatusCode::ABORTED, fmt::format("event {} could not be sent again", next_seq)});
  return nullptr;
}

absl::StatusOr<SubscriberPtr> Leases::Find(uint64_t lease) const {
  MutexLock lock(mu_);
  if (shut_down_) return absl::UnavailableError(ShutdownText());
  const auto it = outboxes_.find(lease);
  if (it == outboxes_.end()) {
    return absl::FailedPreconditionError(fmt::format(
        "lease {} is not known to chat server \"{}\": subscribe, and use the lease of that stream", lease,
        server_));
  }
  return it->second;
}

// A lease that nobody has asked for yet.
class Leases::Awaited final : public Subscriber {
 public:
  Awaited(std::string connector, uint64_t lease) : connector_(std::move(connector)), lease_(lease) {}
  uint64_t lease() const override { return lease_; }
  const std::string& connector() const override { return connector_; }
  bool ended() const override { return ended_.load(std::memory_order_acquire); }
  // A connector that restores the place asks for what it has missed.
  void Push(EventPtr, Gather*) override {}

  void End() { ended_.store(true, std::memory_order_release); }
  // True once the grace, counted from the first call, is over.
  bool Expired(int64_t now_ms, int64_t grace_ms) {
    if (!since_ms_) since_ms_ = now_ms;
    return now_ms - *since_ms_ >= grace_ms;
  }

 private:
  const std::string connector_;
  const uint64_t lease_;
  std::atomic<bool> ended_ = false;
  std::optional<int64_t> since_ms_;  // Of the thread that sweeps.
};

SubscriberPtr Leases::Await(const std::string& connector) {
  MutexLock lock(mu_);
  return awaited_.emplace_back(std::make_shared<Awaited>(connector, options_.new_lease()));
}

StringSet Leases::Connectors() const {
  StringSet connectors;
  MutexLock lock(mu_);
  for (const auto& [lease, outbox] : outboxes_) {
    if (!outbox->ended()) connectors.insert(outbox->connector());
  }
  return connectors;
}

bool Leases::Heard() const {
  MutexLock lock(mu_);
  return std::any_of(outboxes_.begin(), outboxes_.end(), [](const auto& entry) {
    return !entry.second->ended() && !entry.second->unheard_for().has_value();
  });
}

void Leases::EndAll(const grpc::Status& reason) {
  std::vector<OutboxPtr> all;
  {
    MutexLock lock(mu_);
    for (const auto& [lease, outbox] : outboxes_) all.push_back(outbox);
    outboxes_.clear();
    for (const auto& awaited : awaited_) awaited->End();
    awaited_.clear();
  }
  for (const OutboxPtr& outbox : all) outbox->End(reason);
}

void Leases::SweepAwaited(int64_t now_ms) {
  std::vector<std::shared_ptr<Awaited>> over;
  {
    MutexLock lock(mu_);
    for (const auto& awaited : awaited_) {
      if (awaited->Expired(now_ms, options_.grace_ms)) over.push_back(awaited);
    }
  }
  for (const auto& awaited : over) {
    awaited->End();
    const size_t dropped = rooms_.DropSubscriber(awaited->lease(), options_.max_dropped_places);
    if (dropped > 0) {
      spdlog::info("connector \"{}\" has not come for {} places that were handed over: dropped",
                   awaited->connector(), dropped);
    }
    if (dropped == options_.max_dropped_places) continue;  // There may be more: the next Sweep goes on.
    MutexLock lock(mu_);
    std::erase(awaited_, awaited);
  }
}

void Leases::Sweep(int64_t now_ms) {
  SweepAwaited(now_ms);
  std::vector<OutboxPtr> all;
  {
    MutexLock lock(mu_);
    if (shut_down_) return;
    all.reserve(outboxes_.size());
    for (const auto& [lease, outbox] : outboxes_) all.push_back(outbox);
  }
  for (const OutboxPtr& outbox : all) {
    if (!outbox->Expire(now_ms, options_.grace_ms)) continue;
    const size_t dropped = rooms_.DropSubscriber(outbox->lease(), options_.max_dropped_places);
    spdlog::info("lease {} of connector \"{}\" has ended ({}): {} of its users' places dropped",
                 outbox->lease(), outbox->connector(), outbox->end_reason().error_message(), dropped);
    if (dropped == options_.max_dropped_places) continue;  // There may be more: the next Sweep goes on.
    MutexLock lock(mu_);
    outboxes_.erase(outbox->lease());
  }
}

void Leases::Shutdown() {
  MutexLock lock(mu_);
  shut_down_ = true;
  for (const auto& [lease, outbox] : outboxes_) {
    outbox->Drain({grpc::StatusCode::UNAVAILABLE, ShutdownText()});
  }
}

size_t Leases::size() const {
  MutexLock lock(mu_);
  return outboxes_.size();
}

Leases::Counts Leases::counts() const {
  Counts counts{.sent_events = counters_->sent_events.value(),
                .sent_bytes = counters_->sent_bytes.value(),
                .cuts = counters_->cuts.value()};
  MutexLock lock(mu_);
  counts.leases = outboxes_.size();
  for (const auto& [lease, outbox] : outboxes_) counts.queued_bytes += outbox->queued_bytes();
  return counts;
}

void Leases::WarnOfTwins(const std::string& connector, const std::string& peer) const {
  for (const auto& [lease, outbox] : outboxes_) {
    if (outbox->connector() != connector) continue;
    const std::optional<std::string> other = outbox->peer();
    if (!other) continue;
    spdlog::warn(
        "connector \"{}\" subscribes from {} while its lease {} has a stream from {}: if these are two "
        "processes, give "
        "one of them another id",
        connector, peer, lease, *other);
  }
}

void Leases::CutEarlier(const std::string& connector, uint64_t connector_run) {
  if (connector_run == 0) return;
  for (const auto& [lease, outbox] : outboxes_) {
    if (outbox->connector() != connector || outbox->connector_run() == 0) continue;
    // A machine that died, or that was cut off for a while, has not closed it.
    const bool same = outbox->connector_run() == connector_run;
    outbox->Cut(
        {grpc::StatusCode::ABORTED,
         same ? fmt::format("connector \"{}\" has subscribed anew", connector)
              : fmt::format(
                    "another process subscribes as connector \"{}\": resume the lease {} if this one lives",
                    connector, lease)});
  }
}

std::string Leases::ShutdownText() const {
  return fmt::format("chat server \"{}\" is shutting down", server_);
}

}  // namespace hubbub::chat
