#pragma once

#include <memory>

#include "boost/beast/websocket/stream.hpp"
#include "services/net/socket_connection.h"
#include "services/net/wire.h"

namespace hubbub::net {

// Without permessage-deflate: stock clients do not ask for it, and it costs memory and most of the
// throughput.
using WebSocketStream = beast::websocket::stream<Wire, false>;

// `stream` has accepted its client. `max_bytes`: the largest message that is taken. `ends_without_frame`: as
// in WebSocketOpening.
std::shared_ptr<SocketConnection> MakeWebSocketConnection(SocketConnection::Client client,
                                                          WebSocketStream stream, size_t max_bytes,
                                                          bool ends_without_frame);

}  // namespace hubbub::net
