#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "chat/cluster/slot_table.h"
#include "chat/rooms/room_state.h"
#include "chat/rooms/room_table.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// Gives slots that other chat servers should have to them, with the rooms that are there: to each server one
// batch at a time, whose slots are closed and whose rooms are frozen until the other has claimed the slots.
// The claim in the store decides; if no answer comes, this server takes the slots back there, and learns
// whether the other was faster. Knows nothing of gRPC. Thread-safe.
class HandOver {
 public:
  struct Batch {
    uint64_t number = 0;  // The same one is the same batch again.
    std::vector<SlotGeneration> slots = {};
    std::vector<RoomState> rooms = {};
  };
  using BatchPtr = std::shared_ptr<const Batch>;
  // The slots that the other server has claimed, by its claim.
  using Taken = std::vector<SlotGeneration>;
  using Done = std::function<void(absl::StatusOr<Taken>)>;
  // Offers a batch to a chat server and calls `done` with what it said, on any thread, but not before it has
  // returned. PeerService::Import says what the codes mean.
  using Import = std::function<void(const std::string& server, const BatchPtr& batch, Done done)>;
  // Takes slots back: SlotKeeper::Keep.
  using Keep = std::function<void(std::vector<SlotGeneration> slots, Done done)>;

  // All outlive this object, which must outlive the calls.
  HandOver(RoomTable& rooms, SlotTable& slots, Import import, Keep keep)
      : rooms_(rooms), slots_(slots), import_(std::move(import)), keep_(std::move(keep)) {}

  // Looks for slots to give away, and gives some. Call it several times a second, with SteadyNowMs.
  void Tick(int64_t now_ms) ABSL_LOCKS_EXCLUDED(mu_);
  // Starts no more calls. Returns true once none is under way.
  bool Stop() {
    stopped_ = true;
    return calls_ == 0;
  }
  // True if no batch is on its way.
  bool Idle() const ABSL_LOCKS_EXCLUDED(mu_);
  // The rooms have been forgotten: ignores the answers to batches under way.
  void Forget() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What goes to one server.
  struct Line {
    // Its slots are closed, and the rooms `waits` have sends that wait for the log; null if there is none.
    std::shared_ptr<Batch> freezing;
    std::vector<std::string> waits;
    size_t bytes = 0;           // Of its rooms.
    BatchPtr batch;             // On its way; null if there is none.
    uint64_t taker = 0;         // The run that it is offered to.
    int64_t since_ms = 0;       // Since when it is, or is freezing,
    bool under_way = false;     // and a call is out.
    bool repeated = false;      // It was offered before, and no answer came.
    bool unclear = false;       // The slots are taken back, to learn who has them.
    bool refused = false;       // So it was logged.
    int64_t not_before_ms = 0;  // It was refused: pause.
  };

  // Closes slots that the server should have, what fits into a batch and every slot without rooms, and
  // freezes their rooms.
  void BeginBatch(const std::vector<int>& slots, Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Freeze(const std::string& room, Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Freezes what could not be frozen before. True if the batch can be offered; after too long it is given up.
  bool GoOnFreezing(Line& line, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Looks at a line with nothing on its way. True if its batch is to be offered.
  bool Begin(const std::string& server, const std::vector<int>& slots, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Offer(const std::string& server, const BatchPtr& batch);
  void TakeBack(const std::string& server, const BatchPtr& batch);
  void OnAnswer(const std::string& server, const BatchPtr& batch, const absl::StatusOr<Taken>& answer)
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnKept(const std::string& server, const BatchPtr& batch, const absl::StatusOr<Taken>& kept)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The batch is settled: `taken` of its slots are the other's, the others stay.
  void Settle(const std::string& server, const Batch& batch, uint64_t taker, const Taken& taken,
              const std::vector<SlotGeneration>& kept);

  // The line is free for the next batch. True if that may follow at once.
  bool Finish(const std::string& server, const BatchPtr& batch) ABSL_LOCKS_EXCLUDED(mu_);

  // An answer that does not come for this time does not come.
  static constexpr int64_t kUnclearMs = 2'000;
  static constexpr int64_t kPauseMs = 500;
  // How long a batch waits for its rooms' sends before its slots stay, for now.
  static constexpr int64_t kFreezeMs = 1'000;
  // How many slots with rooms go in one batch, and what they may take before no other is added.
  static constexpr size_t kMaxBatchSlots = 32;
  static constexpr size_t kMaxBatchBytes = size_t{256} << 10;
  // Beyond this, which one slot can have, rooms go without their recent events: a gRPC message is bounded.
  static constexpr size_t kMostBytes = size_t{16} << 20;

  RoomTable& rooms_;
  SlotTable& slots_;
  const Import import_;
  const Keep keep_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int> calls_ = 0;  // Under way.
  mutable Mutex mu_;
  StringMap<Line> lines_ ABSL_GUARDED_BY(mu_);
  uint64_t batches_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hubbub::chat
