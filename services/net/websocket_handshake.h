#pragma once

#include <memory>
#include <string_view>

#include "services/net/arrival.h"
#include "services/net/http_verdict.h"

namespace hubbub::net {

// Answers the opening handshake of a WebSocket client, then starts its connection. `behind`: what the client
// has sent behind its request, HttpSession::kReadBytes at most. On the client's loop.
void ShakeHands(std::shared_ptr<Arrival> arrival, const UpgradeRequest& request, std::string_view behind);

}  // namespace hubbub::net
