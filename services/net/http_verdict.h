#pragma once

#include <string>
#include <variant>

#include "services/net/http_body.h"
#include "services/net/http_head.h"
#include "services/net/http_request.h"
#include "services/net/http_response.h"
#include "services/net/http_router.h"
#include "services/net/origins.h"

namespace hubbub::net {

// A request for a route's handler, but for its body, which follows.
struct PlainRequest {
  HttpRequest request;
  const HttpRoute* route = nullptr;
  BodyFraming framing;
  bool expects_continue = false;  // The client waits for status 100 before it sends the body.
  bool keep_alive = false;        // The client wants to send another request (RFC 9112, 9.3).
  // The origin of the page that the answer may be shown to (CORS); empty: to pages of the same origin alone.
  std::string readable_by = {};
};

// A WebSocket client whose opening handshake is right (RFC 6455, 4.2.1).
struct UpgradeRequest {
  std::string key;       // What Sec-WebSocket-Accept is made of.
  std::string protocol;  // The subprotocol that is chosen; empty: none.
  WebSocketOpening opening;
  std::string bearer = {};  // The token that the client shows (RFC 6750); empty: none.
};

// What a server does with a request: a refusal, after which the connection ends, a page or an upgrade.
using HttpVerdict = std::variant<HttpResponse, PlainRequest, UpgradeRequest>;

// Judges a request by RFC 9110, 9112 and 6455, by the server's routes, which the verdict points into, and by
// the pages that may use it. Pure, thread-safe.
HttpVerdict JudgeRequest(const HttpHead& head, const HttpRouter& router, const Origins& origins = {});

// The answer that tells a fault.
HttpResponse FaultResponse(const HttpFault& fault);
// The answer to a client whose bearer token is not taken (RFC 6750, 3).
HttpResponse UnauthorizedResponse(std::string why);

}  // namespace hubbub::net
