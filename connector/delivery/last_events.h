#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::connector {

// The newest events of one room that have come to this connector: when their chat server dies while it tells
// them, a connector that has had them tells the others through the next chat server. Bounded in number, bytes
// and age; the oldest go first. Loop-only. `now_ms` is SteadyNowMs.
class LastEvents {
 public:
  using EventPtr = std::shared_ptr<const chat::v1::Event>;

  struct Kept {
    EventPtr event;
    int64_t came_ms;
  };

  // Comings and goings that are numbered apart are passed over. Events of another epoch than those before
  // begin again; what is not newer than the last one is known.
  void Append(const EventPtr& event, int64_t now_ms);

  // Those of this epoch, oldest first.
  const std::vector<Kept>& events() const { return events_; }
  // The latest time that the room has told here, also by events that are not kept any more.
  int64_t time_ms() const { return time_ms_; }

 private:
  static constexpr size_t kMostEvents = 64;
  static constexpr size_t kMostBytes = size_t{64} << 10;
  // Longer than a chat server that hangs goes unnoticed, and its rooms take to begin again.
  static constexpr int64_t kMostAgeMs = 10'000;

  void DropOldest(size_t count);

  std::vector<Kept> events_;
  size_t bytes_ = 0;
  int64_t time_ms_ = 0;
};

}  // namespace hubbub::connector
