#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "chat/rooms/event.h"

namespace hubbub::chat {

// The newest events of one room that are numbered together (Event::number), without gaps. Bounded in number,
// bytes and age; the oldest go first. Not thread-safe: the room's lock guards it.
class RecentEvents {
 public:
  struct Limits {
    size_t max_events = 1024;
    size_t max_bytes = size_t{256} << 10;  // Memory, not wire.
    int64_t max_age_ms = 300'000;
  };

  // `limits` outlives this object: a server has very many rooms with the same limits.
  explicit RecentEvents(const Limits& limits) : limits_(limits) {}

  // The event's number is one more than that of the event before.
  void Append(EventPtr event);

  // The events after `number`, oldest first. Nothing if some of them are not held any more, or if there never
  // was such a number.
  std::optional<std::vector<EventPtr>> Since(uint64_t number) const;

  // All of them, oldest first.
  std::vector<EventPtr> All() const {
    return {events_.begin() + static_cast<ptrdiff_t>(first_), events_.end()};
  }
  // Sets the number preceding the first event to be appended.
  void StartAfter(uint64_t number) { last_number_ = number; }

  // Drops the oldest, until the others take no more memory than this.
  void ShrinkTo(size_t max_bytes);
  // Drops those up to this number.
  void DropUpTo(uint64_t number);
  // Drops what has outlived max_age_ms. `now_ms`: of the clock of Event::at_ms.
  void Expire(int64_t now_ms);

  size_t size() const { return events_.size() - first_; }
  bool empty() const { return size() == 0; }
  // How many of them are messages.
  size_t messages() const { return messages_; }
  size_t bytes() const { return bytes_; }

 private:
  void PopOldest();

  const Limits& limits_;
  // A vector with a moving start, because an empty std::deque takes over half a kilobyte and most rooms are
  // quiet.
  std::vector<EventPtr> events_;
  size_t first_ = 0;
  size_t bytes_ = 0;
  size_t messages_ = 0;
  uint64_t last_number_ = 0;
};

}  // namespace hubbub::chat
