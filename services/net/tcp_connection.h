#pragma once

#include <memory>

#include "services/net/client_stream.h"
#include "services/net/socket_connection.h"

namespace hubbub::net {

// `read`: what was read from the socket already.
std::shared_ptr<SocketConnection> MakeTcpConnection(SocketConnection::Client client, ClientStream stream,
                                                    beast::flat_buffer read);

}  // namespace hubbub::net
