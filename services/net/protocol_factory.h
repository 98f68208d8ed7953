#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "services/net/connection.h"
#include "services/net/loop.h"

namespace hubbub::net {

// What a client that cannot stay is told, in its protocol's words and as bytes for the wire (`framed`: see
// Connection::framed).
using RefusalBytes = std::string (*)(std::string_view reason, bool framed);

// Starts a protocol on new connections.
struct ProtocolFactory {
  // Called on the connection's loop. Empty for a port's TCP: it speaks HTTP alone, and closes other clients.
  std::function<std::unique_ptr<Protocol>(Loop&, Connection&)> make;
  // Null: clients that cannot stay are closed without a word.
  RefusalBytes refuse = nullptr;
};

}  // namespace hubbub::net
