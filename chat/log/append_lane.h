#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "chat/log/held_slots.h"
#include "chat/log/lane_batch.h"
#include "chat/log/log_counters.h"
#include "chat/rooms/room_lines.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// Writes the messages of a part of the slots to the log: a thread with a connection to the store, and one
// batch in flight. What is proposed meanwhile is the next batch; nothing waits for a clock. A batch of which
// nobody knows whether it was done is sent again, unchanged, until the store says so. Thread-safe.
class AppendLane {
 public:
  struct Limits {
    size_t max_events = 1'024;
    size_t max_bytes = size_t{1} << 20;
    // Before the same thing is asked of the store again: the first pause, which doubles up to the longest.
    std::chrono::milliseconds first_pause{5};
    std::chrono::milliseconds longest_pause{500};
  };

  // All but the store outlive this object.
  AppendLane(const Limits& limits, std::unique_ptr<Store> store, const HeldSlots& slots, RoomLines& lines,
             LogListener& listener, LogCounters& counters);
  // Ends what Stop has not ended.
  ~AppendLane() { Stop(); }
  AppendLane(const AppendLane&) = delete;
  AppendLane& operator=(const AppendLane&) = delete;

  // The room has something to send. Does not block.
  void Wake(std::string_view room);
  // Interrupts the store and ends the thread. What waits is left in the rooms' lines.
  void Stop();

 private:
  void Run();
  // Waits until a room has something to send; nothing once the lane is stopped.
  bool WaitForRoom();
  LaneBatch NextBatch();
  // Sends the batch until its outcome is known or the lane is stopped.
  void Send(const LaneBatch& batch);
  // The store has done the batch, but for what it has passed over. `repeated`: it was sent more than once.
  void Settle(const LaneBatch& batch, const AppendAnswer& answer, bool repeated);
  // The store says that nothing of the batch was done.
  void NothingDone(const LaneBatch& batch, const absl::Status& why);
  // A room whose slot is another server's. `taken`: what is said of what was sent.
  void RefuseLost(const std::string& room, const absl::Status& taken, Gather& gather);
  // The slot's rooms that wait to be sent.
  void RefuseQueued(int slot, Gather& gather);
  void PutBack(const LaneBatch& batch);
  void Pause();

  const Limits limits_;
  const std::unique_ptr<Store> store_;
  const HeldSlots& slots_;
  RoomLines& lines_;
  LogListener& listener_;
  LogCounters& counters_;

  // The thread's alone.
  size_t max_events_;  // Fewer while the store refuses something.
  std::chrono::milliseconds pause_;

  std::mutex mu_;  // Guards the rest. Nothing is called with it held.
  std::condition_variable changed_;
  std::deque<std::string> rooms_;  // With something to send, in the order in which they came.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hubbub::chat
