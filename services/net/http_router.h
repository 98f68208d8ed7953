#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "services/net/http_reply.h"
#include "services/net/http_request.h"
#include "services/net/http_response.h"
#include "services/net/protocol_factory.h"

namespace hubbub::net {

// Answers a request at once. Called on any loop.
using PageHandler = std::function<HttpResponse(const HttpRequest&)>;
// Answers a request by `reply`, now or later. Called on the connection's loop, `loop`.
using AsyncHandler = std::function<void(Loop& loop, HttpRequest request, HttpReply reply)>;

// What is done with the requests for a path.
struct HttpRoute {
  std::variant<PageHandler, AsyncHandler> handler;
  // A client that uses another one gets status 405.
  std::vector<std::string> methods = {"GET", "HEAD"};
  // A larger body gets status 413. GET and HEAD may have a body too, which means nothing.
  size_t max_body_bytes = size_t{64} * 1024;
  // True: answered although there is no place for the client. Others get status 503 or 429 then.
  bool for_guests = false;
  // True: answered whatever name the client has for this server. Others get status 421 if the name may be one
  // that a stranger has pointed here (Origins::KnowsHost).
  bool any_host = false;
  // True: for pages of origins that may use this server alone, and for clients that are no browsers. Pages of
  // others get status 403. A browser that names no origin asks for a page of the server's own, so it gets 421
  // as without any_host.
  bool own_pages = false;
};

// How one WebSocket is opened.
struct WebSocketOpening {
  std::shared_ptr<const ProtocolFactory> protocol;
  Loop* loop = nullptr;  // Where the connection is to live; null: where it was accepted.
  // The client takes no notice of a close frame, but of the end of the connection: it gets that alone.
  bool ends_without_frame = false;
};
// Decides about one request for a WebSocket: an answer refuses it. Called on any loop.
using WebSocketJudge = std::function<std::variant<HttpResponse, WebSocketOpening>(const HttpRequest&)>;

// The protocol of the WebSockets that are opened at a path.
struct WebSocketRoute {
  ProtocolFactory protocol = {};
  // A client may ask for one of these: it gets the first that it names.
  std::vector<std::string> subprotocols = {};
  // Null, or says of a bearer token that a client shows (RFC 6750) why it is not taken; nothing: it is. A
  // client whose token is not taken gets status 401. Called on any loop.
  std::function<std::optional<std::string>(std::string_view token)> check_bearer = nullptr;
  // Takes the place of `protocol` where it depends on the request; null: it does not.
  WebSocketJudge judge = nullptr;
};

// Says by a request's path what is done with it. A route is for one path, or, if its path ends in '/', for
// all that begin with it. The route of the very path comes first, then that with the longest beginning. So a
// route at "/" has what no other has. Paths are compared byte by byte. WebSockets have routes of their own,
// and may be opened at the same paths. A value: thread-compatible, constant once a listener has it.
class HttpRouter {
 public:
  // A second route at one path takes the place of the first.
  HttpRouter& Add(std::string path, HttpRoute route);
  HttpRouter& AddWebSocket(std::string path, WebSocketRoute route);

  // The route for a path without a query; null if there is none.
  const HttpRoute* Find(std::string_view path) const;
  const WebSocketRoute* FindWebSocket(std::string_view path) const;

 private:
  template <typename Route>
  using Routes = std::vector<std::pair<std::string, Route>>;

  template <typename Route>
  static void Put(Routes<Route>& routes, std::string path, Route route);
  template <typename Route>
  static const Route* FindIn(const Routes<Route>& routes, std::string_view path);

  Routes<HttpRoute> pages_;
  Routes<WebSocketRoute> web_sockets_;
};

}  // namespace hubbub::net
