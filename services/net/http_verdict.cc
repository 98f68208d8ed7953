#include "services/net/http_verdict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "services/net/bearer.h"
#include "services/net/http_list.h"
#include "services/net/http_target.h"

namespace hubbub::net {
namespace {

// RFC 9110 (9) and 5789. Methods have case.
bool IsKnownMethod(std::string_view method) {
  static constexpr std::array<std::string_view, 9> kKnown = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                             "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kKnown.begin(), kKnown.end(), method) != kKnown.end();
}

// `separator` stands between two, `last` before the last of them.
std::string Joined(const std::vector<std::string>& words, std::string_view separator, std::string_view last) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? last : separator;
    joined += words[i];
  }
  return joined;
}

HttpResponse MethodNotAllowed(const std::vector<std::string>& methods) {
  HttpResponse response =
      FaultResponse({405, fmt::format("Only {} {} served here.", Joined(methods, ", ", " and "),
                                      methods.size() == 1 ? "is" : "are")});
  response.headers.emplace_back("Allow", Joined(methods, ", ", ", "));
  return response;
}

// Base64 of 16 bytes (RFC 6455, 4.2.1).
bool IsKey(std::string_view text) {
  return text.size() == 24 && text.ends_with("==") && std::all_of(text.begin(), text.end() - 2, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
                  c == '/';
         });
}

// The field Host; empty in a request of HTTP/1.0 that has none.
std::string_view HostOf(const HttpHead& head) {
  const auto hosts = ValuesOf(head, "Host");
  return hosts.empty() ? std::string_view() : hosts.front();
}

// Browsers send Origin with each handshake (RFC 6455, 4.1), and no page can change it.
std::optional<HttpFault> CheckOrigin(const HttpHead& head, const Origins& origins) {
  const auto values = ValuesOf(head, "Origin");
  if (values.empty()) return std::nullopt;
  if (values.size() > 1) return HttpFault{400, "The request has more than one Origin."};
  if (origins.Allow(values.front(), HostOf(head))) return std::nullopt;
  return HttpFault{403,
                   "Pages of this origin may not connect here. Who runs this server can list the origin in "
                   "--allowed_origins."};
}

// Browsers send no Origin with a page's GET to its own origin, and Sec-Fetch-Site with TLS or on their own
// machine alone. What is left are the words that all of them begin their User-Agent with.
bool IsOfABrowser(const HttpHead& head) {
  if (!ValuesOf(head, "Sec-Fetch-Site").empty()) return true;
  const auto agents = ValuesOf(head, "User-Agent");
  return !agents.empty() && agents.front().starts_with("Mozilla/");
}

HttpRequest RequestOf(const HttpHead& head, std::string target) {
  HttpRequest request{.method = std::string(head.method), .target = std::move(target)};
  for (const HttpField& field : head.fields) request.fields.emplace_back(field.name, field.value);
  return request;
}

HttpVerdict JudgeHandshake(const HttpHead& head, const std::string& target, const WebSocketRoute& route,
                           const Origins& origins) {
  if (auto fault = CheckOrigin(head, origins)) return FaultResponse(*fault);
  const auto versions = ValuesOf(head, "Sec-WebSocket-Version");
  if (versions.size() != 1 || versions.front() != "13") {
    HttpResponse response = UpgradeRequired("This server speaks version 13 of WebSocket, that of RFC 6455.");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  const auto keys = ValuesOf(head, "Sec-WebSocket-Key");
  if (keys.size() != 1 || !IsKey(keys.front()))
    return FaultResponse({400, "A WebSocket handshake has one Sec-WebSocket-Key, of 16 bytes in base64."});
  auto bearer = BearerOf(head, target);
  if (const auto* fault = std::get_if<HttpFault>(&bearer)) return FaultResponse(*fault);
  UpgradeRequest upgrade{.key = std::string(keys.front()),
                         .protocol = {},
                         .opening = {},
                         .bearer = std::get<std::string>(std::move(bearer))};
  if (route.check_bearer && !upgrade.bearer.empty()) {
    if (auto why = route.check_bearer(upgrade.bearer)) return UnauthorizedResponse(*std::move(why));
  }
  if (route.judge) {
    auto opening = route.judge(RequestOf(head, target));
    if (auto* refusal = std::get_if<HttpResponse>(&opening)) return std::move(*refusal);
    upgrade.opening = std::get<WebSocketOpening>(std::move(opening));
  } else {
    // The router outlives the request.
    upgrade.opening.protocol =
        std::shared_ptr<const ProtocolFactory>(std::shared_ptr<void>(), &route.protocol);
  }
  // Browsers fail a connection whose answer names none of the subprotocols that they have asked for.
  AnyElement(head, "Sec-WebSocket-Protocol", [&](std::string_view offered) {
    const auto& own = route.subprotocols;
    if (std::find(own.begin(), own.end(), offered) == own.end()) return false;
    upgrade.protocol = std::string(offered);
    return true;
  });
  return upgrade;
}

// Nothing if the request does not ask for a WebSocket.
std::optional<HttpVerdict> JudgeUpgrade(const HttpHead& head, const std::string& target,
                                        const BodyFraming& body, const WebSocketRoute& route,
                                        const Origins& origins) {
  if (HasElement(head, "Connection", "upgrade") && HasElement(head, "Upgrade", "websocket")) {
    if (body.has_body()) return FaultResponse({400, "A WebSocket handshake has no body."});
    return JudgeHandshake(head, target, route, origins);
  }
  if (ValuesOf(head, "Sec-WebSocket-Key").empty()) return std::nullopt;
  return UpgradeRequired(
      "A WebSocket handshake has \"Upgrade: websocket\" and \"Connection: Upgrade\". A proxy on the way may "
      "have taken them out.");
}

bool WantsToStay(const HttpHead& head) {
  if (HasElement(head, "Connection", "close")) return false;
  return head.minor_version > 0 || HasElement(head, "Connection", "keep-alive");
}

HttpVerdict JudgePlain(const HttpHead& head, std::string target, const BodyFraming& body,
                       const HttpRoute& route, const Origins& origins) {
  const bool own_page = route.own_pages && ValuesOf(head, "Origin").empty() && IsOfABrowser(head);
  if ((!route.any_host || own_page) && !origins.KnowsHost(HostOf(head))) {
    return FaultResponse({421,
                          "This server does not know itself by this name. Who runs it can list the name's "
                          "origin, such as https://chat.example.com, in --allowed_origins."});
  }
  if (route.own_pages) {
    if (auto fault = CheckOrigin(head, origins)) return FaultResponse(*fault);
  }
  if (std::find(route.methods.begin(), route.methods.end(), head.method) == route.methods.end())
    return MethodNotAllowed(route.methods);
  // RFC 9110, 10.1.1.
  const bool expects_more = AnyElement(
      head, "Expect", [](std::string_view expected) { return !SameName(expected, "100-continue"); });
  if (expects_more && head.minor_version > 0)
    return FaultResponse({417, "This server meets no expectation but 100-continue."});
  if (body.length > route.max_body_bytes)
    return FaultResponse(
        {413, fmt::format("The body of the request has more than {} bytes.", route.max_body_bytes)});
  PlainRequest plain{.request = RequestOf(head, std::move(target)),
                     .route = &route,
                     .framing = body,
                     .expects_continue = body.has_body() && head.minor_version > 0 &&
                                         HasElement(head, "Expect", "100-continue"),
                     .keep_alive = WantsToStay(head)};
  const auto origin = ValuesOf(head, "Origin");
  if (origin.size() == 1 && origins.Allow(origin.front(), HostOf(head)))
    plain.readable_by = std::string(origin.front());
  return plain;
}

}  // namespace

HttpResponse FaultResponse(const HttpFault& fault) {
  return {.status = fault.status, .body = fault.sentence + "\n"};
}

HttpResponse UnauthorizedResponse(std::string why) {
  HttpResponse response = FaultResponse({401, std::move(why)});
  response.headers.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  return response;
}

HttpVerdict JudgeRequest(const HttpHead& head, const HttpRouter& router, const Origins& origins) {
  if (auto fault = CheckHost(head)) return FaultResponse(*fault);
  const auto framing = FramingOf(head);
  if (const auto* fault = std::get_if<HttpFault>(&framing)) return FaultResponse(*fault);
  const auto& body = std::get<BodyFraming>(framing);
  if (!IsKnownMethod(head.method)) return FaultResponse({501, "This server does not know the method."});
  auto target = OriginForm(head.target);
  // Other methods may have other targets, but no route has those methods.
  if (!target && head.method != "GET" && head.method != "HEAD") return MethodNotAllowed(HttpRoute().methods);
  if (!target) return FaultResponse({400, "The target of the request is neither a path nor an http URL."});

  // HTTP/1.0 has no Upgrade (RFC 9110, 7.8).
  if (head.method == "GET" && head.minor_version > 0) {
    if (const WebSocketRoute* route = router.FindWebSocket(PathOf(*target))) {
      if (auto verdict = JudgeUpgrade(head, *target, body, *route, origins)) return *std::move(verdict);
    }
  }
  const HttpRoute* route = router.Find(PathOf(*target));
  if (route == nullptr) return FaultResponse({404, "There is nothing at this path."});
  return JudgePlain(head, *std::move(target), body, *route, origins);
}

}  // namespace hubbub::net
