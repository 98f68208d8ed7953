#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/net/http_request.h"

namespace hubbub::net {

// An answer to an HTTP request. A value: thread-compatible.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // A body that outlives everything, such as a file that the build has put into the program: sent without a
  // copy, in the place of `body`, which is empty.
  std::string_view constant_body = {};
};

// What load balancers and the like ask at kHealthPath: 200, or 503 from a server that drains, which takes no
// new clients.
inline constexpr std::string_view kHealthPath = "/healthz";
HttpResponse HealthResponse(bool draining);
// To a request for which a server has no place left: 503, to be tried again.
HttpResponse FullResponse();
// To one of a machine that has all the places that one may have: 429, to be tried again later. Not 503, for
// which a proxy may take the server out of use for everybody.
HttpResponse TooManyResponse();
// To a request that nobody has answered, which is a mistake in the program: 500.
HttpResponse InternalError();

// To a request without WebSocket where nothing else is served: 426, with what RFC 9110 (15.5.22, 7.8) asks
// for beside it.
HttpResponse UpgradeRequired(std::string sentence);

// A moment as HTTP writes it (RFC 9110, 5.6.7), such as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(absl::Time time);

// `response`, or 304 in its place if the client has the same contents already: if the response has an ETag
// that the request names in If-None-Match (RFC 9110, 13.1.2). For GET and HEAD; others get `response`.
HttpResponse UnlessKnown(const HttpRequest& request, HttpResponse response);

struct ResponseForm {
  bool with_body = true;    // False leaves the body out and nothing else, as for HEAD (RFC 9110, 9.3.2).
  bool keep_alive = false;  // Whether another request may follow on the connection (RFC 9112, 9.3).
  // The origin of the page that may read the answer (CORS); empty: none but pages of the same origin.
  std::string_view readable_by = {};
};

// The bytes of an answer (RFC 9112, 4) up to the end of `body`; a constant body follows them, if
// HasConstantBody.
std::string WriteResponse(const HttpResponse& response, ResponseForm form, absl::Time now);
// Status 304 has no body (RFC 9110, 15.4.5).
bool HasConstantBody(const HttpResponse& response, ResponseForm form);

}  // namespace hubbub::net
