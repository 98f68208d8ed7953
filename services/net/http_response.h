#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace hubbub::net {

// An answer to an HTTP request. A value: thread-compatible.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// The target of a request without its query.
std::string_view PathOf(std::string_view target);

// What load balancers and the like ask at kHealthPath: 200, or 503 from a server that drains, which takes no
// new clients.
inline constexpr std::string_view kHealthPath = "/healthz";
HttpResponse HealthResponse(bool draining);
// To a request for which a server has no place left: 503, to be tried again.
HttpResponse FullResponse();

// To a request without WebSocket where nothing else is served: 426, with what RFC 9110 (15.5.22, 7.8) asks
// for beside it.
HttpResponse UpgradeRequired(std::string sentence);

// A moment as HTTP writes it (RFC 9110, 5.6.7), such as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(absl::Time time);

// The bytes of an answer, after which the connection ends (RFC 9112, 4 and 9.6). `with_body` false leaves the
// body out and nothing else, as for HEAD (RFC 9110, 9.3.2).
std::string WriteResponse(const HttpResponse& response, bool with_body, absl::Time now);

}  // namespace hubbub::net
