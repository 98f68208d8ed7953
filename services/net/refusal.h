#pragma once

#include <string>

#include "services/net/protocol_factory.h"
#include "services/net/socket_connection.h"

namespace hubbub::net {

// Tells a guest (services/net/seats.h) why it cannot stay, by `refuse`, then closes: on WebSocket with code
// 1013, "try again later". On the connection's loop.
void SendAway(SocketConnection& connection, RefusalBytes refuse, std::string reason);

}  // namespace hubbub::net
