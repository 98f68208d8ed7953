#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chat/log/age_clock.h"
#include "chat/log/held_slots.h"
#include "chat/log/log_counters.h"
#include "chat/rooms/room_table.h"
#include "chat/store/store.h"
#include "services/base/clock.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// Reads rooms from the store and opens them in the table: where their offsets stand, recent ids and recent
// events. A thread with a connection of its own; what is asked for while it reads is read together. A read
// that fails is forgotten: who wants the room asks again. Thread-safe.
class RoomLoader {
 public:
  using Done = std::function<void()>;
  struct Options {
    size_t max_rooms = 1'000;  // In one statement.
    int max_events = 1'024;    // Of one room.
    // Nothing older is kept in memory.
    int64_t max_age_ms = 300'000;
    std::chrono::milliseconds pause{50};  // After a read that failed.
    std::function<int64_t()> steady_ms = SteadyNowMs;
    std::function<int64_t()> system_ms = SystemNowMs;
  };

  // All but the store outlive this object. `epoch`: of all rooms.
  RoomLoader(Options options, uint64_t epoch, std::unique_ptr<Store> store, const HeldSlots& slots,
             RoomTable& rooms, LogCounters& counters);
  ~RoomLoader() { Stop(); }
  RoomLoader(const RoomLoader&) = delete;
  RoomLoader& operator=(const RoomLoader&) = delete;

  // Does not block, and does nothing if the room is asked for already, or is being read.
  void Load(std::string_view room);
  // Calls `done` on the loader's thread when the room is neither asked for nor being read; or on the thread
  // that stops the loader; or within this call, once it is stopped.
  void WhenRead(std::string_view room, Done done);
  void Stop();

 private:
  struct Wanted {
    std::string room;
    int64_t generation = 0;  // Of its slot, before the read.
  };

  void Run();
  // What is read next; nothing once the loader is stopped.
  std::vector<Wanted> Next();
  // Nothing is being read any more: tells the calls that waited for it.
  void TellReaders();
  absl::Status Read(const std::vector<Wanted>& wanted);
  absl::StatusOr<RoomState> Read(const RoomHead& head);
  // Event::at_ms of what people were shown with this time.
  int64_t AtMs(int64_t time_ms) const;

  const Options options_;
  const AgeClock clock_;
  const uint64_t epoch_;
  const std::unique_ptr<Store> store_;
  const HeldSlots& slots_;
  RoomTable& rooms_;
  LogCounters& counters_;

  std::mutex mu_;  // Guards the rest. Nothing is called with it held.
  std::condition_variable changed_;
  StringSet wanted_;
  StringSet reading_;
  StringMap<std::vector<Done>> waiting_;
  std::vector<Done> ready_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hubbub::chat
