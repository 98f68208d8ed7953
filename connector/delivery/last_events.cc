#include "connector/delivery/last_events.h"

#include <algorithm>

namespace hubbub::connector {
namespace {

size_t BytesOf(const chat::v1::Event& event) {
  return sizeof(event) + (event.has_message() ? event.message().content().size() : 0);
}

}  // namespace

void LastEvents::Append(const EventPtr& event, int64_t now_ms) {
  time_ms_ = std::max(time_ms_, event->time_ms());
  if (event->change() != 0) return;  // A chat server that numbers it so keeps what was said.
  if (!events_.empty()) {
    const chat::v1::Event& last = *events_.back().event;
    if (last.epoch() != event->epoch()) {
      DropOldest(events_.size());
    } else if (event->offset() <= last.offset()) {
      return;
    }
  }
  events_.push_back({event, now_ms});
  bytes_ += BytesOf(*event);
  size_t old = 0;
  while (old < events_.size() && now_ms - events_[old].came_ms > kMostAgeMs) ++old;
  if (old > 0) DropOldest(old);
  // By halves, so that the rest moves seldom.
  while (events_.size() > kMostEvents || (bytes_ > kMostBytes && events_.size() > 1))
    DropOldest((events_.size() + 1) / 2);
}

void LastEvents::DropOldest(size_t count) {
  for (size_t i = 0; i < count; ++i) bytes_ -= BytesOf(*events_[i].event);
  events_.erase(events_.begin(), events_.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace hubbub::connector
