#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "chat/rooms/event.h"

namespace hubbub::chat {

// The events of one lease, sent and unsent, numbered 1, 2, 3 … The sent ones are kept, as far as the bounds
// allow, so that a stream that broke can be resumed with the events it missed. Not thread-safe: Outbox guards
// it. Bytes are those of Event::wire_bytes.
class EventQueue {
 public:
  struct Limits {
    // Of all that is held. When there is too much, the oldest sent events go; when the unsent ones alone are
    // too many, Push refuses.
    size_t max_bytes = size_t{4} << 20;
    size_t max_events = 65'536;
    // Of one batch; far below the 4 MiB that a gRPC client receives by default.
    size_t max_batch_bytes = size_t{256} << 10;
    size_t max_batch_events = 1024;
  };

  struct Batch {
    uint64_t first_seq = 0;  // Of events[0]; of the next event to come if there is none.
    std::vector<EventPtr> events;
    size_t bytes = 0;
  };

  explicit EventQueue(const Limits& limits) : limits_(limits) {}

  // False if the unsent events were more than the bounds allow: the reader is too slow, and this queue is of
  // no more use but to tell how much was waiting.
  [[nodiscard]] bool Push(EventPtr event);

  // Takes the next events to send, which count as sent from now on. At least one if there are any, of any
  // size.
  Batch Take();

  // Makes `next_seq` the next one to send; what comes before it has been seen and is dropped. False, and no
  // change, if events that would have to be sent are not held any more or `next_seq` was never due.
  [[nodiscard]] bool Rewind(uint64_t next_seq);

  void Clear();

  size_t unsent_events() const { return events_.size() - sent_; }
  size_t unsent_bytes() const { return unsent_bytes_; }
  size_t held_events() const { return events_.size(); }
  size_t held_bytes() const { return bytes_; }

 private:
  bool Full() const { return bytes_ > limits_.max_bytes || events_.size() > limits_.max_events; }
  void PopSent();

  const Limits limits_;
  std::deque<EventPtr> events_;
  uint64_t first_seq_ = 1;  // Of events_.front().
  size_t sent_ = 0;         // How many of events_, from the front, are sent.
  size_t bytes_ = 0;
  size_t unsent_bytes_ = 0;
};

}  // namespace hubbub::chat
