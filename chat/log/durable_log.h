#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/log/append_lane.h"
#include "chat/log/held_slots.h"
#include "chat/log/log_counters.h"
#include "chat/log/room_loader.h"
#include "chat/rooms/event_log.h"
#include "chat/rooms/room_table.h"
#include "chat/store/store.h"
#include "services/base/clock.h"

namespace hubbub::chat {

// The log of a table's rooms in a store: lanes, which write, and a reader. Made before the table, which
// it outlives, and started after it. Thread-safe.
class DurableLog final : public EventLog {
 public:
  struct Options {
    AppendLane::Limits lanes;
    RoomLoader::Options loader;
    // A send that has waited so long is refused, or its sender is told that nobody knows.
    int64_t longest_wait_ms = 2'000;
    std::chrono::milliseconds look_every{250};      // For those.
    std::function<int64_t()> now_ms = SteadyNowMs;  // As RoomOptions::now_ms.
  };
  // Called by several threads at a time.
  using OpenStore = std::function<absl::StatusOr<std::unique_ptr<Store>>()>;

  // `slots` and `listener` outlive this object.
  DurableLog(Options options, const HeldSlots& slots, LogListener& listener)
      : options_(std::move(options)), slots_(slots), listener_(listener) {}
  ~DurableLog() override { Stop(); }
  DurableLog(const DurableLog&) = delete;
  DurableLog& operator=(const DurableLog&) = delete;

  // Opens a connection for each lane, of which there are Store::writers(), and for the reader. `epoch`:
  // StoreMeta::epoch. Before it no room may be in the table: none can be read, and nobody may bring one
  // (started()). May be tried again after an error.
  absl::Status Start(RoomTable& rooms, uint64_t epoch, const OpenStore& open);
  // From now on no room is read, and calls that wait for one are told. Stop does it too.
  void StopReading();
  // Ends all threads, then refuses what waits. No call of the table may be under way, or follow.
  void Stop();
  bool running() const { return running_; }
  // Start has succeeded once: what a room proposes finds its lane.
  bool started() const { return started_; }

  void Wake(std::string_view room) override;
  bool Load(std::string_view room) override;
  void WhenRead(std::string_view room, std::function<void()> done) override;

  const LogCounters& counters() const { return counters_; }

 private:
  void Look();

  const Options options_;
  const HeldSlots& slots_;
  LogListener& listener_;
  LogCounters counters_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> started_ = false;
  RoomTable* rooms_ = nullptr;  // This and the next two are constant while it runs.
  std::vector<std::unique_ptr<AppendLane>> lanes_;
  std::unique_ptr<RoomLoader> loader_;
  std::mutex mu_;
  std::condition_variable changed_;
  bool stopping_ = false;  // Guarded by mu_.
  std::thread looks_;
};

}  // namespace hubbub::chat
