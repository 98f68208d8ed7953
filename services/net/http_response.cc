#include "services/net/http_response.h"

#include <utility>

#include "fmt/format.h"

namespace hubbub::net {
namespace {

// RFC 9110, 15, RFC 6585 and RFC 6455; for people alone.
std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
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
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find_first_of("?#"));
}

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

HttpResponse UpgradeRequired(std::string sentence) {
  return {.status = 426,
          .body = std::move(sentence) + "\n",
          .headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}};
}

std::string HttpDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

std::string WriteResponse(const HttpResponse& response, bool with_body, absl::Time now) {
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\nServer: hubbub/" HUBBUB_VERSION
                                  "\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
                                  response.status, Reason(response.status), HttpDate(now),
                                  response.content_type, response.body.size());
  for (const auto& [name, value] : response.headers)
    bytes.append(name).append(": ").append(value).append("\r\n");
  bytes.append("Connection: close\r\n\r\n");
  if (with_body) bytes.append(response.body);
  return bytes;
}

}  // namespace hubbub::net
