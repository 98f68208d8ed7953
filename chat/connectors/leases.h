#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "chat/connectors/cluster.h"
#include "chat/connectors/event_queue.h"
#include "chat/connectors/outbox.h"
#include "chat/connectors/write_timer.h"
#include "chat/rooms/room_table.h"
#include "services/base/mutex.h"
#include "services/base/random_id.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// The leases of this chat server. A connector has a lease while its Subscribe stream stands or can still be
// resumed; when the lease ends, the connector's users leave their rooms. A second lease of the same connector
// does not end the first, whose users may be coming back with their resume tokens: the first ends by its
// grace. Thread-safe.
class Leases {
 public:
  struct Options {
    // How long a lease lasts without a stream.
    int64_t grace_ms = 5000;
    // At this many, Subscribe refuses a new one with RESOURCE_EXHAUSTED.
    size_t max_leases = 10'000;
    // Of each lease that has ended, in one Sweep. Each of them is a Left event for the other connectors: more
    // of them at once could fill an outbox (EventQueue::Limits) and cut a connector that reads well.
    size_t max_dropped_places = 16'384;
    EventQueue::Limits queue;
    std::function<uint64_t()> new_lease = RandomId;
  };

  // `server` is this chat server's id, for texts. `rooms` and `cluster`, which may be null, outlive this
  // object.
  Leases(std::string server, RoomTable& rooms, Options options, const Cluster* cluster = nullptr)
      : server_(std::move(server)), rooms_(rooms), options_(std::move(options)), cluster_(cluster) {}

  // A stream for `connector`: it resumes `lease` from `next_seq` if it can; otherwise, and if `lease` is 0,
  // it is that of a new lease, as its first response tells: then earlier leases of the connector have no
  // stream any more, and begin their grace, if the connector tells its run. `peer` is for the log.
  // RESOURCE_EXHAUSTED; UNAVAILABLE after Shutdown.
  absl::StatusOr<Outbox::Reactor*> Subscribe(const std::string& connector, uint64_t lease, uint64_t next_seq,
                                             const std::string& peer, uint64_t connector_run = 0);

  // FAILED_PRECONDITION if there is no such lease.
  absl::StatusOr<SubscriberPtr> Find(uint64_t lease) const;

  // A subscriber for places of `connector` that have come with their room from another chat server: nobody
  // listens until the connector restores them. It ends by the grace, as a lease without a stream does.
  SubscriberPtr Await(const std::string& connector) ABSL_LOCKS_EXCLUDED(mu_);

  // The connectors that have a lease here which has not ended, with or without a stream.
  StringSet Connectors() const ABSL_LOCKS_EXCLUDED(mu_);

  // True if a connector listens on a stream.
  bool Heard() const ABSL_LOCKS_EXCLUDED(mu_);

  // Ends all leases at once, because their rooms have been forgotten: the connectors get new ones.
  void EndAll(const grpc::Status& reason) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends the leases whose grace is over and drops what they held. Call it about once a second. `now_ms` is of
  // any clock that does not jump.
  void Sweep(int64_t now_ms);

  // Ends all streams with UNAVAILABLE, each after all that waits for it has been sent, and refuses new ones.
  // Returns at once. To have every accepted message delivered, stop accepting messages before.
  void Shutdown();

  size_t size() const;

  // What the leases do, for metrics.
  struct Counts {
    size_t leases = 0;        // Now, with those whose stream is away.
    size_t queued_bytes = 0;  // Of events that wait for connectors now.
    uint64_t sent_events = 0;
    uint64_t sent_bytes = 0;
    uint64_t cuts = 0;  // Connectors that did not read.
  };
  Counts counts() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using OutboxPtr = std::shared_ptr<Outbox>;
  class Awaited;

  void SweepAwaited(int64_t now_ms) ABSL_LOCKS_EXCLUDED(mu_);
  // A stream that goes on with a lease; null if there is none to go on with.
  Outbox::Reactor* Resume(const std::string& connector, uint64_t lease, uint64_t next_seq,
                          const std::string& peer);
  // The streams that it has had end.
  void CutEarlier(const std::string& connector, uint64_t connector_run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WarnOfTwins(const std::string& connector, const std::string& peer) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string ShutdownText() const;

  const std::string server_;
  RoomTable& rooms_;
  const Options options_;
  const Cluster* const cluster_;
  const std::shared_ptr<OutboxCounters> counters_ = std::make_shared<OutboxCounters>();
  WriteTimer timer_;

  mutable Mutex mu_ ABSL_ACQUIRED_AFTER(&RoomShards::Shard::mu) ABSL_ACQUIRED_BEFORE(&Outbox::mu_);
  absl::flat_hash_map<uint64_t, OutboxPtr> outboxes_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Awaited>> awaited_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
