#include "chat/connectors/event_queue.h"

#include <utility>

namespace hubbub::chat {

bool EventQueue::Push(EventPtr event) {
  bytes_ += event->wire_bytes();
  unsent_bytes_ += event->wire_bytes();
  events_.push_back(std::move(event));
  while (Full() && sent_ > 0) PopSent();
  return !Full();
}

EventQueue::Batch EventQueue::Take() {
  Batch batch{.first_seq = first_seq_ + sent_, .events = {}, .bytes = 0};
  size_t bytes = 0;
  while (sent_ < events_.size() && batch.events.size() < limits_.max_batch_events) {
    const EventPtr& next = events_[sent_];
    if (!batch.events.empty() && bytes + next->wire_bytes() > limits_.max_batch_bytes) break;
    bytes += next->wire_bytes();
    batch.events.push_back(next);
    ++sent_;
  }
  batch.bytes = bytes;
  unsent_bytes_ -= bytes;
  return batch;
}

bool EventQueue::Rewind(uint64_t next_seq) {
  if (next_seq < first_seq_ || next_seq > first_seq_ + sent_) return false;
  while (first_seq_ < next_seq) PopSent();
  sent_ = 0;
  unsent_bytes_ = bytes_;
  return true;
}

void EventQueue::Clear() {
  first_seq_ += events_.size();
  std::deque<EventPtr>().swap(events_);
  sent_ = bytes_ = unsent_bytes_ = 0;
}

void EventQueue::PopSent() {
  bytes_ -= events_.front()->wire_bytes();
  events_.pop_front();
  ++first_seq_;
  --sent_;
}

}  // namespace hubbub::chat
