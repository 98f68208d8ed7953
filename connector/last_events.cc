#include "connector/last_events.h"

namespace hubbub::connector {
namespace {

size_t BytesOf(const chat::v1::Event& event) {
  return sizeof(event) + (event.has_message() ? event.message().content().size() : 0);
}

}  // namespace

void LastEvents::Append(const EventPtr& event) {
  if (!events_.empty()) {
    const chat::v1::Event& last = *events_.back();
    if (last.epoch() != event->epoch()) {
      DropOldest(events_.size());
    } else if (event->offset() <= last.offset()) {
      return;
    }
  }
  events_.push_back(event);
  bytes_ += BytesOf(*event);
  size_t old = 0;
  while (old < events_.size() && event->time_ms() - events_[old]->time_ms() > kMostAgeMs) ++old;
  if (old > 0) DropOldest(old);
  // By halves, so that the rest moves seldom.
  while (events_.size() > kMostEvents || (bytes_ > kMostBytes && events_.size() > 1))
    DropOldest((events_.size() + 1) / 2);
}

void LastEvents::DropOldest(size_t count) {
  for (size_t i = 0; i < count; ++i) bytes_ -= BytesOf(*events_[i]);
  events_.erase(events_.begin(), events_.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace hubbub::connector
