#pragma once

#include <string>

#include "services/net/socket_connection.h"

namespace hubbub::net {

// Tells a guest (services/net/seats.h) in Pomelo's way why it cannot stay: one kick package with the JSON
// {"reason": …}, which clients read at any time, then the end: on WebSocket with code 1013, "try again
// later". On the connection's loop.
void SendAway(SocketConnection& connection, std::string reason);

}  // namespace hubbub::net
