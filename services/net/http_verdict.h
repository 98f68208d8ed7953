#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "services/net/http_head.h"
#include "services/net/http_response.h"

namespace hubbub::net {

// A GET or HEAD.
struct PageRequest {
  std::string target;  // In origin form: "/path?query".
};

// A WebSocket client whose opening handshake is right (RFC 6455, 4.2.1).
struct UpgradeRequest {
  std::string key;       // What Sec-WebSocket-Accept is made of.
  std::string protocol;  // The subprotocol that is chosen; empty: none.
};

// What a server does with a request: a refusal, a page or an upgrade.
using HttpVerdict = std::variant<HttpResponse, PageRequest, UpgradeRequest>;

// Judges a request by RFC 9110, 9112 and 6455. `subprotocols`: those that a WebSocket client may ask for; of
// them it gets the first that it names, for browsers fail a connection whose answer names none of theirs.
// Pure, thread-safe.
HttpVerdict JudgeRequest(const HttpHead& head, const std::vector<std::string>& subprotocols);

// The answer that tells a fault.
HttpResponse FaultResponse(const HttpFault& fault);

}  // namespace hubbub::net
