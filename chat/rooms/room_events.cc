#include "chat/rooms/room_events.h"

namespace hubbub::chat {

std::shared_ptr<Event> RoomEvents::Notice(Event::Kind kind) {
  auto event = std::make_shared<Event>();
  event->room = room_;
  event->epoch = epoch_;
  event->life = life_;
  event->time_ms = ShowTime();
  event->kind = kind;
  return event;
}

EventPtr RoomEvents::Presence(Event::Kind kind, std::string_view user, int64_t now_ms) {
  auto event = Notice(kind);
  event->at_ms = now_ms;
  event->user = user;
  if (limits_.budget != nullptr) {
    event->change = ++change_;
    past_.AppendChange(event);
  } else {
    event->offset = ++offset_;
    past_.Append(event);
  }
  return event;
}

std::shared_ptr<Event> RoomEvents::Message(std::string_view from, std::string_view target,
                                           std::string_view content, std::string_view id,
                                           std::vector<uint64_t> for_tokens) const {
  auto event = std::make_shared<Event>();
  event->room = room_;
  event->epoch = epoch_;
  event->kind = Event::Kind::kMessage;
  event->user = from;
  event->target = target;
  event->content = content;
  event->id = id;
  event->for_tokens = std::move(for_tokens);
  return event;
}

void RoomEvents::Number(Event& message, int64_t now_ms, size_t ahead) {
  message.offset = offset_ + ahead + 1;
  message.time_ms = ShowTime();
  message.at_ms = now_ms;
}

void RoomEvents::Record(const EventPtr& message) {
  offset_ = message->offset;
  past_.Append(message);
}

}  // namespace hubbub::chat
