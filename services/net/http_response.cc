#include "services/net/http_response.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

// RFC 9110, 15, RFC 6585 and RFC 6455; for people alone.
std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace

HttpResponse HealthResponse(bool draining) {
  return {.status = draining ? 503 : 200,
          .body = draining ? "This server is draining: it takes no new clients.\n" : "ok\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

HttpResponse FullResponse() {
  return {.status = 503,
          .body = "This server has as many clients as it takes. Try again in some seconds.\n",
          .headers = {{"Retry-After", "5"}, {"Cache-Control", "no-store"}}};
}

HttpResponse TooManyResponse() {
  return {.status = 429,
          .body = "Your address has as many clients here as one may have. Close some, or try again later.\n",
          .headers = {{"Retry-After", "30"}, {"Cache-Control", "no-store"}}};
}

HttpResponse InternalError() {
  return {.status = 500,
          .body = "This server has lost the request: this is a mistake in the program.\n",
          .headers = {{"Cache-Control", "no-store"}}};
}

HttpResponse UpgradeRequired(std::string sentence) {
  return {.status = 426,
          .body = std::move(sentence) + "\n",
          .headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}};
}

std::string HttpDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

HttpResponse UnlessKnown(const HttpRequest& request, HttpResponse response) {
  if (response.status != 200 || (request.method != "GET" && request.method != "HEAD")) return response;
  const auto tag = std::find_if(response.headers.begin(), response.headers.end(),
                                [](const auto& header) { return SameName(header.first, "ETag"); });
  if (tag == response.headers.end()) return response;
  const auto names_tag = [&](std::string_view known) {
    // A client may hold a weak form of it, which a proxy that compresses has made.
    if (known.starts_with("W/")) known.remove_prefix(2);
    return known == "*" || known == tag->second;
  };
  for (const auto& [name, value] : request.fields) {
    if (!SameName(name, "If-None-Match") || !AnyElement(value, names_tag)) continue;
    response.status = 304;
    response.body.clear();
    response.constant_body = {};
    break;
  }
  return response;
}

std::string WriteResponse(const HttpResponse& response, ResponseForm form, absl::Time now) {
  const bool has_content = response.status != 304;
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\nServer: hubbub/" HUBBUB_VERSION "\r\nDate: {}\r\n",
                                  response.status, Reason(response.status), HttpDate(now));
  if (has_content) {
    bytes += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                         response.body.size() + response.constant_body.size());
  }
  for (const auto& [name, value] : response.headers)
    bytes.append(name).append(": ").append(value).append("\r\n");
  if (!form.readable_by.empty()) {
    bytes.append("Access-Control-Allow-Origin: ").append(form.readable_by).append("\r\nVary: Origin\r\n");
  }
  bytes.append(form.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  if (form.with_body && has_content) bytes.append(response.body);
  return bytes;
}

bool HasConstantBody(const HttpResponse& response, ResponseForm form) {
  return form.with_body && response.status != 304 && !response.constant_body.empty();
}

}  // namespace hubbub::net
