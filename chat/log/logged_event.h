#pragma once

#include <cstddef>
#include <cstdint>

#include "chat/rooms/event.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// Between a room's message and the row of the log. Its generation is set by the store.
LoggedEvent ToLogged(const Event& message, size_t recipients);

// `at_ms`: Event::at_ms.
EventPtr FromLogged(LoggedEvent row, uint64_t epoch, int64_t at_ms);

}  // namespace hubbub::chat
