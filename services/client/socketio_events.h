#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/socketio/packet.h"

namespace hubbub::client {

// What the events of clients of Socket.IO ask for. Pure functions, thread-safe.

// The route that an event's name stands for: itself, or that of which it is the short name.
std::string_view RouteOfEvent(std::string_view name);

// The text of an event as Pomelo's client sends it; nothing if it is none.
std::optional<std::string> PomeloTextOf(const socketio::Event& event);

}  // namespace hubbub::client
