#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/rooms/event.h"
#include "chat/rooms/room_limits.h"
#include "chat/rooms/room_past.h"

namespace hubbub::chat {

// Makes the events of one room, numbers them, gives them their times, and keeps what RoomPast keeps of them.
// Without a log every event has the next offset. With a log only messages have offsets, those of the log;
// comings and goings are numbered apart, from 1 in each life of the room's members in memory. Not
// thread-safe: the lock of the room's shard guards it.
class RoomEvents {
 public:
  // `limits` outlives this object. `life`: with a log, names the life of the members; 0 without.
  RoomEvents(std::string room, uint64_t epoch, uint64_t life, const RoomLimits& limits)
      : room_(std::move(room)), epoch_(epoch), limits_(limits), past_(epoch, limits), life_(life) {}

  const std::string& room() const { return room_; }
  uint64_t epoch() const { return epoch_; }
  uint64_t offset() const { return offset_; }
  uint64_t life() const { return life_; }
  uint64_t change() const { return change_; }
  int64_t shown_ms() const { return shown_ms_; }
  RoomPast& past() { return past_; }
  const RoomPast& past() const { return past_; }

  // People have been shown this time already.
  void ShowNoTimeBefore(int64_t time_ms) { shown_ms_ = std::max(shown_ms_, time_ms); }
  // Goes on after what has happened elsewhere. `life` 0: the members are not those of before.
  void StartAfter(uint64_t offset, uint64_t life, uint64_t change) {
    offset_ = offset;
    change_ = change;
    if (life != 0) life_ = life;
  }

  // An event that takes no number, because it is not for the room's members.
  std::shared_ptr<Event> Notice(Event::Kind kind);
  // The next coming or going.
  EventPtr Presence(Event::Kind kind, std::string_view user, int64_t now_ms);
  // A message that has neither a number nor a time yet.
  std::shared_ptr<Event> Message(std::string_view from, std::string_view target, std::string_view content,
                                 std::string_view id, std::vector<uint64_t> for_tokens) const;
  // Gives a message its offset, `ahead` others that are not recorded yet being before it, and its time.
  void Number(Event& message, int64_t now_ms, size_t ahead = 0);
  // The message has its place in the room: what is asked from now on knows it.
  void Record(const EventPtr& message);

 private:
  // The time that people are shown for what happens now.
  int64_t ShowTime() {
    ShowNoTimeBefore(limits_.shown_ms());
    return shown_ms_;
  }

  const std::string room_;
  const uint64_t epoch_;
  const RoomLimits& limits_;
  RoomPast past_;
  uint64_t life_;
  uint64_t offset_ = 0;
  uint64_t change_ = 0;
  int64_t shown_ms_ = 0;  // The latest time that people were shown.
};

}  // namespace hubbub::chat
