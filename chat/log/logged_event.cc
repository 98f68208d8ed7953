#include "chat/log/logged_event.h"

#include <memory>
#include <utility>

namespace hubbub::chat {

LoggedEvent ToLogged(const Event& message, size_t recipients) {
  LoggedEvent row;
  row.room = message.room;
  row.offset = static_cast<int64_t>(message.offset);
  row.time_ms = message.time_ms;
  row.sender = message.user;
  if (message.target != kEverybody) row.target = message.target;
  row.id = message.id;
  row.recipients = static_cast<int>(recipients);
  row.content = message.content;
  return row;
}

EventPtr FromLogged(LoggedEvent row, uint64_t epoch, int64_t at_ms) {
  auto message = std::make_shared<Event>();
  message->room = std::move(row.room);
  message->epoch = epoch;
  message->offset = static_cast<uint64_t>(row.offset);
  message->time_ms = row.time_ms;
  message->at_ms = at_ms;
  message->kind = Event::Kind::kMessage;
  message->user = std::move(row.sender);
  message->tokens_unknown = !row.target.empty();
  message->target = row.target.empty() ? kEverybody : std::move(row.target);
  message->content = std::move(row.content);
  message->id = std::move(row.id);
  return message;
}

}  // namespace hubbub::chat
