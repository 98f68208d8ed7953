#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "chat/rooms/event_log.h"
#include "chat/rooms/room_state.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// Remembers what it is asked. It writes nothing: the test takes what is proposed, and says what became of it.
// Thread-safe.
class FakeLog final : public EventLog {
 public:
  void Wake(std::string_view room) override {
    MutexLock lock(mu_);
    woken_.emplace_back(room);
  }
  bool Load(std::string_view room) override {
    MutexLock lock(mu_);
    loads_.emplace_back(room);
    return true;
  }
  void WhenRead(std::string_view, std::function<void()> done) override { done(); }

  // Of what it was asked since the last call.
  std::vector<std::string> TakeWoken() {
    MutexLock lock(mu_);
    return std::exchange(woken_, {});
  }
  std::vector<std::string> TakeLoads() {
    MutexLock lock(mu_);
    return std::exchange(loads_, {});
  }

 private:
  Mutex mu_;
  std::vector<std::string> woken_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> loads_ ABSL_GUARDED_BY(mu_);
};

// A room as a log has it.
inline RoomState LoggedRoom(const std::string& room, uint64_t offset = 0,
                            std::vector<EventPtr> recent_events = {}) {
  RoomState state;
  state.room = room;
  state.epoch = 7;
  state.offset = offset;
  state.recent_events = std::move(recent_events);
  return state;
}

}  // namespace hubbub::chat
