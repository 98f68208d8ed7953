#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "chat/owner_table.h"
#include "chat/room_state.h"
#include "chat/room_table.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::chat {

// Gives rooms that belong to others to them: a batch for each other server at a time, whose rooms are frozen
// while it is under way. Knows nothing of gRPC. Thread-safe.
class HandOver {
 public:
  struct Batch {
    uint64_t number = 0;  // The same one is the same batch again.
    std::shared_ptr<const std::vector<RoomState>> rooms = nullptr;
  };
  // What the other server did not take.
  struct Refused {
    StringSet rooms = {};
    std::string reason = {};  // For one of them.
  };
  using Done = std::function<void(absl::StatusOr<Refused>)>;
  // Sends rooms to a chat server and calls `done` with what it said, on any thread, but not before it has
  // returned. PeerService::Import says what the codes mean.
  using Import = std::function<void(const std::string& server, const Batch& batch, Done done)>;

  // All outlive this object, which must outlive the calls of `import`. `self`: the id of this server.
  HandOver(std::string self, RoomTable& rooms, OwnerTable& owners, Import import)
      : self_(std::move(self)), rooms_(rooms), owners_(owners), import_(std::move(import)) {}

  // Looks for rooms to give away, and gives some. Call it several times a second.
  void Tick() ABSL_LOCKS_EXCLUDED(mu_);
  // Begins nothing any more. True once nothing is under way.
  bool Stop() {
    stopped_ = true;
    return calls_ == 0;
  }
  // The rooms are no more: what was to be given is not. What is under way comes to nothing.
  void Forget() ABSL_LOCKS_EXCLUDED(mu_);
  // True if, as of now, every room here is this server's own.
  bool Settled() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What goes to one server.
  struct Line {
    std::deque<std::string> waiting;
    Batch batch;                   // On its way, or to be sent again; has no rooms if there is none.
    bool under_way = false;        // An answer will come.
    bool refused = false;          // So it was logged.
    bool not_before_tick = false;  // It was refused: pause.
  };

  // Finds what is to be given. The generation as of which there is nothing, if there is; otherwise 0.
  uint64_t Scan() ABSL_LOCKS_EXCLUDED(mu_);
  void SendAll() ABSL_LOCKS_EXCLUDED(mu_);
  // Freezes the next rooms of the line; no rooms if there are none.
  Batch NextBatch(const std::string& server, Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Send(const std::string& server) ABSL_LOCKS_EXCLUDED(mu_);
  void OnAnswer(const std::string& server, const absl::StatusOr<Refused>& answer) ABSL_LOCKS_EXCLUDED(mu_);
  void Thaw(const Batch& batch, bool certain);

  // So many rooms are looked for at a time, and so many, and so large, go in one batch.
  static constexpr size_t kMaxFound = 5'000;
  static constexpr size_t kMaxBatchRooms = 200;
  static constexpr size_t kMaxBatchBytes = size_t{256} << 10;

  const std::string self_;
  RoomTable& rooms_;
  OwnerTable& owners_;
  const Import import_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int> calls_ = 0;  // Under way.
  mutable Mutex mu_;
  StringMap<Line> lines_ ABSL_GUARDED_BY(mu_);
  uint64_t batches_ ABSL_GUARDED_BY(mu_) = 0;
  bool giving_ ABSL_GUARDED_BY(mu_) = false;   // So it was logged.
  uint64_t settled_ ABSL_GUARDED_BY(mu_) = 0;  // The generation as of which there was nothing to give.
};

}  // namespace hubbub::chat
