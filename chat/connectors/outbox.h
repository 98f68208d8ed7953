#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "chat/connectors/event_queue.h"
#include "chat/connectors/write_pace.h"
#include "chat/connectors/write_timer.h"
#include "chat/rooms/room_shards.h"
#include "chat/rooms/subscriber.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

// What all outboxes of a server have sent, counted once per batch. Thread-safe.
struct OutboxCounters {
  metrics::Counter sent_events;  // Events that a resumed stream is sent again are counted again.
  metrics::Counter sent_bytes;
  metrics::Counter cuts;  // Connectors that did not read.
};

// The events that wait for one connector under one lease. It outlives its streams, which attach, break and
// are resumed. At most one write of a stream is in flight; what is pushed during it leaves as the next batch,
// and comings and goings wait a moment for each other (WritePace).
//
// A connector that does not read is cut when more waits for it than EventQueue::Limits allow: its stream ends
// with RESOURCE_EXHAUSTED and the lease with it, so that it subscribes again instead of missing something
// silently.
//
// Thread-safe. Push is called with a room shard's lock held. With mu_ held only a stream's Finish and the
// timer are called, which call nothing back on the same thread. Shared by its lease, the rooms and its
// streams; the last of them destroys it.
class Outbox final : public Subscriber, public std::enable_shared_from_this<Outbox> {
 public:
  using Reactor = grpc::ServerWriteReactor<v1::SubscribeResponse>;

  // `incarnation`: the run of this chat server; `connector_run`: that of the connector, 0 if it is not known.
  // `counters` and `timer` may be shared by many; nothing is pushed after the timer's end.
  Outbox(std::string connector, uint64_t lease, uint64_t incarnation, const EventQueue::Limits& limits,
         std::shared_ptr<OutboxCounters> counters, WriteTimer& timer, uint64_t connector_run = 0)
      : connector_(std::move(connector)),
        lease_(lease),
        incarnation_(incarnation),
        connector_run_(connector_run),
        counters_(std::move(counters)),
        timer_(timer),
        queue_(limits) {}

  uint64_t lease() const override { return lease_; }
  const std::string& connector() const override { return connector_; }
  bool ended() const override { return ended_.load(std::memory_order_acquire); }
  std::optional<std::chrono::milliseconds> unheard_for() const override;
  uint64_t connector_run() const { return connector_run_; }
  void Push(EventPtr event, Gather* gather) override;
  void Flush() override;

  // A new stream, which begins with the event `next_seq` (1 for a new outbox) and is answered at once, with
  // what there is; the stream before it ends with ABORTED. Null if the lease has ended or cannot be resumed
  // from there; then nothing has changed. `peer` is for the log. gRPC owns the stream.
  Reactor* Attach(uint64_t next_seq, std::string peer);

  // Ends the lease, and its stream, if any, with `reason`. The first reason stays.
  void End(grpc::Status reason);

  // Ends the stream, if any, with `reason`; the lease goes on as if it had broken.
  void Cut(grpc::Status reason);

  // Lets the stream end with `reason` once all that waits has been sent, and no other begin. The lease does
  // not end.
  void Drain(grpc::Status reason);

  // Ends the lease if no stream was attached for `grace_ms`, measured between calls. Returns true if the
  // lease is over and its places must be dropped.
  bool Expire(int64_t now_ms, int64_t grace_ms);

  // The far end of the stream; nothing when there is no stream.
  std::optional<std::string> peer() const;
  // Of events that wait to be sent.
  size_t queued_bytes() const;
  // Why the lease ended; OK while it has not.
  grpc::Status end_reason() const;

 private:
  friend class Leases;  // Names mu_ in its lock order.

  // One Subscribe call. Its fields are guarded by the outbox's mu_, except that while `writing` is true the
  // batch belongs to the thread that set it, and then to gRPC.
  class Stream final : public Reactor {
   public:
    explicit Stream(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}

    void Write();

    EventQueue::Batch next;  // What Write is to send.
    bool writing = false;
    std::optional<grpc::Status> closing;  // Finish with this when the write returns.

   private:
    void OnWriteDone(bool ok) override { outbox_->OnWriteDone(this, ok); }
    void OnCancel() override { outbox_->OnCancel(this); }
    void OnDone() override { delete this; }

    const std::shared_ptr<Outbox> outbox_;
    v1::SubscribeResponse batch_;
    bool long_text_ = false;  // batch_ has one.
    bool first_ = true;       // The next write is this stream's first.
  };

  // The stream, if the pace lets it be written to now: the caller calls its Write after unlocking. The stream
  // lives until then, because a stream that is `writing` is never finished.
  Stream* NextWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The next batch of the queue.
  EventQueue::Batch TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndLocked(grpc::Status reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Detaches the stream, then finishes it, at once or after its write: nobody can reach it any more.
  void Close(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes what has waited for its time.
  void OnTime();
  void OnWriteDone(Stream* stream, bool ok);
  void OnCancel(Stream* stream);

  const std::string connector_;
  const uint64_t lease_;
  const uint64_t incarnation_;
  const uint64_t connector_run_;
  const std::shared_ptr<OutboxCounters> counters_;
  WriteTimer& timer_;
  std::atomic<bool> ended_ = false;  // Set with mu_ held; read without, for rooms ask it.

  mutable Mutex mu_ ABSL_ACQUIRED_AFTER(&RoomShards::Shard::mu) ABSL_ACQUIRED_BEFORE(&WriteTimer::mu_);
  EventQueue queue_ ABSL_GUARDED_BY(mu_);
  WritePace pace_ ABSL_GUARDED_BY(mu_);
  bool timer_is_set_ ABSL_GUARDED_BY(mu_) = false;  // It will call OnTime.
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool gathered_ ABSL_GUARDED_BY(mu_) = false;  // A Gather will Flush it.
  std::string peer_ ABSL_GUARDED_BY(mu_);
  // When it lost its stream.
  std::optional<std::chrono::steady_clock::time_point> broke_ ABSL_GUARDED_BY(mu_);
  std::optional<int64_t> idle_since_ms_ ABSL_GUARDED_BY(mu_);  // When Expire first saw no stream.
  std::optional<grpc::Status> draining_ ABSL_GUARDED_BY(mu_);
  grpc::Status end_reason_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
