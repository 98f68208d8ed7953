#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/cluster/beats.h"
#include "chat/cluster/refusals.h"
#include "chat/cluster/slot_changes.h"
#include "chat/cluster/slot_table.h"
#include "chat/cluster/store_health.h"
#include "chat/store/store.h"
#include "services/base/mutex.h"
#include "services/base/task_thread.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

// Speaks with the store about servers and slots, on a thread of its own: lists this run of the server, shows
// that it lives, reads what the others do, finds servers that are gone, and claims slots. What it learns goes
// to the SlotTable, then to the listener. Knows nothing of gRPC. Thread-safe, but for Start, Leave and Stop,
// which belong to the owner.
class SlotKeeper {
 public:
  // Called on the keeper's thread.
  struct Listener {
    // This run of a server is gone, and its rooms must be restored. Called when the keeper learns that the
    // run is gone, and before and after it claims slots of the run.
    std::function<void(const StoredServer&)> on_gone;
    // These slots are another server's by now: their rooms are to be forgotten.
    std::function<void(const std::vector<int>&)> on_lost;
    // This run is gone, and another begins, which holds nothing: all is to be forgotten.
    std::function<void()> on_replaced;
    // The store has answered that this run lived at this time, as SteadyNowMs, or later.
    std::function<void(int64_t asked_ms)> on_renewed;
  };
  using Open = std::function<absl::StatusOr<std::unique_ptr<Store>>()>;
  using Slots = SlotChanges::Slots;
  using SlotsDone = std::function<void(const absl::StatusOr<Slots>&)>;

  // `id` is this server's, `history` as StoredServer has it. `table` outlives this object. `open` connects to
  // the store.
  SlotKeeper(std::string id, Open open, SlotTable& table, Listener listener, std::string history = "memory")
      : id_(std::move(id)),
        open_(std::move(open)),
        table_(table),
        listener_(std::move(listener)),
        history_(std::move(history)) {}
  ~SlotKeeper() { Stop(); }

  // Starts the thread, which connects and claims what there is to claim, and waits for that a moment.
  // `address`: HOST:PORT, where other servers reach this one. An error says why this store cannot be used at
  // all. One that cannot be reached yet is no error: it is tried again.
  absl::Status Start(std::string address);
  // Tells the store that this run is gone, if it answers within kLeave, and stops.
  void Leave();
  void Stop();

  // Reads the store soon, because something has changed there.
  void Wake() { thread_.Wake(); }
  // The address of run `incarnation` refused a connection. If the run is gone by that (Refusals), the keeper
  // marks it so in the store.
  void Refused(uint64_t incarnation);
  void SetDraining(bool draining);
  // True once the store was told of the last SetDraining, or could not be, and was read after that.
  bool drain_told() const { return drain_told_; }
  // As SlotChanges's. `done` is called once, on the keeper's
  // thread; with CANCELLED if the keeper stops before, on the thread that stops it.
  void TakeOver(std::vector<SlotOffer> offers, SlotsDone done);
  void Keep(Slots slots, SlotsDone done);

  // Set once this server must not go on: another process has its id, the store has gone back, or it turned
  // out to be of no use when it was reached.
  std::optional<absl::Status> failure() const ABSL_LOCKS_EXCLUDED(mu_);
  // True if this run was ever listed in the store, and if the store answered when it was asked last.
  bool reached() const { return renewed_ms_ != 0; }
  bool answers() const { return health_.answers(); }
  // For metrics.
  struct Counts {
    uint64_t servers_lost = 0;  // Runs of other servers that were found to be gone.
    uint64_t claimed = 0;       // Slots that were claimed.
    uint64_t errors = 0;        // Times that the store did not answer, or not as asked.
    double beat_age_s = 0;      // How long ago the store last said that this run lives; 0: it never did.
  };
  Counts counts() const;

 private:
  // Shows that this run lives, reads, and claims.
  absl::Status DoRound();
  // When the next round is due.
  std::chrono::milliseconds PauseAfter(const absl::Status& status) const;
  absl::Status Connect();
  absl::Status Register();
  absl::Status Renew();
  // This run is gone: holds nothing any more.
  void GiveUp();
  absl::Status Read();
  absl::Status Claim();
  absl::Status DoRefused(uint64_t incarnation);
  absl::Status MarkGone(const StoredServer& server, const char* why);
  SlotChanges Changes();

  static constexpr std::chrono::milliseconds kBeat{1'000};
  // Slots that another transaction holds, and answers that were lost, are asked for again after this time.
  static constexpr std::chrono::milliseconds kAgain{50};
  // How long the store may hold up the start, and the end.
  static constexpr std::chrono::milliseconds kFirstRound{2'000};
  static constexpr std::chrono::milliseconds kLeave{1'000};

  const std::string id_;
  const Open open_;
  SlotTable& table_;
  const Listener listener_;
  const std::string history_;
  metrics::Counter servers_lost_;
  metrics::Counter claimed_;

  std::string address_;  // Set in Start, before the thread runs.
  // Of the keeper's thread, until it has ended.
  bool registered_ = false;
  // These three are read from any thread.
  StoreHealth health_;
  std::atomic<int64_t> renewed_ms_ = 0;
  std::atomic<bool> drain_told_ = false;
  std::atomic<bool> leaving_ = false;  // No round begins any more.
  Beats beats_;
  StoreView view_;
  Refusals refusals_;
  bool draining_ = false;

  mutable Mutex mu_;
  // Made on the keeper's thread and used there; interrupted from any.
  std::unique_ptr<Store> store_ ABSL_GUARDED_BY(mu_);
  Store* line_ = nullptr;  // The same, for the keeper's thread.
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> failure_ ABSL_GUARDED_BY(mu_);
  TaskThread thread_;  // The last member: it uses the others.
};

}  // namespace hubbub::chat
