#pragma once

#include <cstdint>

#include "chat/rooms/event.h"
#include "chat/rooms/send_waiter.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::chat {

// Writes `event` into `proto`, which is empty.
void ToProto(const Event& event, v1::Event* proto);

// An event of a room that happened at `at_ms` (Event::at_ms); null if it is of a kind that no room keeps.
EventPtr FromProto(const v1::Event& proto, int64_t at_ms);

// Of a send that was done.
void ToProto(const SendResult& result, v1::SendResponse* proto);

}  // namespace hubbub::chat
