#pragma once

#include <string>

#include "services/net/http_router.h"

namespace hubbub::net {

// Routes for tests: at every path a WebSocket of `protocol`, and a page that tells the request's target and,
// as X-Peer, its client.
inline HttpRouter RoutesOf(const ProtocolFactory& protocol) {
  HttpRouter router;
  router.AddWebSocket("/", {.protocol = protocol, .subprotocols = {"pomelo"}});
  router.Add("/", {.handler = [](const HttpRequest& request) {
               return HttpResponse{.body = "this is " + request.target + "\n",
                                   .headers = {{"X-Test", "yes"}, {"X-Peer", request.peer}}};
             }});
  return router;
}

}  // namespace hubbub::net
