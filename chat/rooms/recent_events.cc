#include "chat/rooms/recent_events.h"

#include <utility>

namespace hubbub::chat {

void RecentEvents::Append(EventPtr event) {
  last_number_ = event->number();
  bytes_ += event->memory_bytes();
  if (event->kind == Event::Kind::kMessage) ++messages_;
  const int64_t now_ms = event->at_ms;
  events_.push_back(std::move(event));
  while (size() > limits_.max_events || bytes_ > limits_.max_bytes) PopOldest();
  Expire(now_ms);
}

std::optional<std::vector<EventPtr>> RecentEvents::Since(uint64_t number) const {
  if (number > last_number_ || last_number_ - number > size()) return std::nullopt;
  return std::vector<EventPtr>(events_.end() - static_cast<ptrdiff_t>(last_number_ - number), events_.end());
}

void RecentEvents::Expire(int64_t now_ms) {
  while (!empty() && now_ms - events_[first_]->at_ms > limits_.max_age_ms) PopOldest();
}

void RecentEvents::ShrinkTo(size_t max_bytes) {
  while (bytes_ > max_bytes) PopOldest();
}

void RecentEvents::DropUpTo(uint64_t number) {
  while (!empty() && events_[first_]->number() <= number) PopOldest();
}

void RecentEvents::PopOldest() {
  bytes_ -= events_[first_]->memory_bytes();
  if (events_[first_]->kind == Event::Kind::kMessage) --messages_;
  events_[first_++].reset();
  if (first_ == events_.size()) {
    std::vector<EventPtr>().swap(events_);
    first_ = 0;
  } else if (first_ > events_.size() / 2) {
    events_.erase(events_.begin(), events_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace hubbub::chat
