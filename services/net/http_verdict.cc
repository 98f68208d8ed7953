#include "services/net/http_verdict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "fmt/format.h"

namespace hubbub::net {
namespace {

// A body may stand in a GET, and means nothing (RFC 9110, 9.3.1): it is passed over.
constexpr uint64_t kMaxBodyBytes = uint64_t{64} * 1024;

bool Same(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The fields of a name.
std::vector<std::string_view> ValuesOf(const HttpHead& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const HttpField& field : head.fields) {
    if (Same(field.name, name)) values.push_back(field.value);
  }
  return values;
}

// Calls `visit` with each element of a list that may stand in several lines (RFC 9110, 5.6.1), until it
// answers true; answers whether it did.
template <typename Visit>
bool AnyElement(const HttpHead& head, std::string_view name, Visit visit) {
  for (const HttpField& field : head.fields) {
    if (!Same(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      std::string_view element = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
      while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
      if (!element.empty() && visit(element)) return true;
    }
  }
  return false;
}

bool HasElement(const HttpHead& head, std::string_view name, std::string_view wanted) {
  return AnyElement(head, name, [&](std::string_view element) { return Same(element, wanted); });
}

// host [":" port] without user information (RFC 3986, 3.2.2). No comma: no host has one, but two that were
// joined do.
bool IsAuthority(std::string_view text) {
  size_t end = 0;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const std::string_view address = text.substr(1, close - 1);
    if (!std::all_of(address.begin(), address.end(), [](char c) { return IsHex(c) || c == ':' || c == '.'; }))
      return false;
    end = close + 1;
  } else {
    while (end < text.size() && text[end] != ':') {
      const char c = text[end];
      if (c == '%') {
        if (text.size() - end < 3 || !IsHex(text[end + 1]) || !IsHex(text[end + 2])) return false;
      } else if (!IsAlphanumeric(c) && std::string_view("-._~!$&'()*+;=").find(c) == std::string_view::npos) {
        return false;
      }
      ++end;
    }
  }
  if (end == text.size()) return true;
  const std::string_view port = text.substr(end + 1);
  return text[end] == ':' && port.size() <= 5 && std::all_of(port.begin(), port.end(), IsDigit);
}

std::optional<HttpFault> CheckHost(const HttpHead& head) {
  const auto hosts = ValuesOf(head, "Host");
  if (hosts.size() > 1) return HttpFault{400, "The request has more than one Host (RFC 9112, 3.2)."};
  if (hosts.empty() && head.minor_version > 0)
    return HttpFault{400, "The request has no Host, which HTTP/1.1 demands (RFC 9112, 3.2)."};
  if (!hosts.empty() && !IsAuthority(hosts.front()))
    return HttpFault{400, "The Host of the request is not a host and a port."};
  return std::nullopt;
}

struct Framing {
  bool has_body = false;
  bool too_large = false;
};

// How long the body is must be beyond doubt, though nobody reads it: what a proxy takes for another request
// must not be one (RFC 9112, 6 and 11.2).
std::optional<HttpFault> CheckFraming(const HttpHead& head, Framing& framing) {
  const auto lengths = ValuesOf(head, "Content-Length");
  const auto codings = ValuesOf(head, "Transfer-Encoding");
  if (!lengths.empty() && !codings.empty())
    return HttpFault{400, "The request has both Content-Length and Transfer-Encoding."};
  if (!codings.empty()) {
    if (head.minor_version == 0) return HttpFault{400, "HTTP/1.0 has no Transfer-Encoding."};
    std::vector<std::string_view> names;
    AnyElement(head, "Transfer-Encoding", [&](std::string_view name) {
      names.push_back(name);
      return false;
    });
    if (names.empty() || !Same(names.back(), "chunked") ||
        std::count_if(names.begin(), names.end(), [](auto name) { return Same(name, "chunked"); }) > 1)
      return HttpFault{400, "The last Transfer-Encoding of a request must be chunked, and no other."};
    if (names.size() > 1) return HttpFault{501, "This server knows no Transfer-Encoding but chunked."};
    framing.has_body = true;
    return std::nullopt;
  }
  if (lengths.empty()) return std::nullopt;
  const std::string_view length = lengths.front();
  if (lengths.size() > 1 || length.empty() || !std::all_of(length.begin(), length.end(), IsDigit))
    return HttpFault{400, "The Content-Length of the request is not one number."};
  uint64_t bytes = 0;
  for (const char digit : length)
    bytes = std::min(kMaxBodyBytes + 1, bytes * 10 + static_cast<uint64_t>(digit - '0'));
  framing.has_body = bytes > 0;
  framing.too_large = bytes > kMaxBodyBytes;
  return std::nullopt;
}

std::optional<HttpResponse> CheckMethod(std::string_view method) {
  if (method == "GET" || method == "HEAD") return std::nullopt;
  // RFC 9110 (9) and 5789. Methods have case.
  static constexpr std::array<std::string_view, 7> kKnown = {"POST",    "PUT",   "DELETE", "CONNECT",
                                                             "OPTIONS", "TRACE", "PATCH"};
  if (std::find(kKnown.begin(), kKnown.end(), method) == kKnown.end())
    return FaultResponse({501, "This server does not know the method. Only GET and HEAD are served here."});
  HttpResponse response = FaultResponse({405, "Only GET and HEAD are served here."});
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

// A target in origin form, from that or from absolute form (RFC 9112, 3.2); nothing if it is neither.
std::optional<std::string> OriginForm(std::string_view target) {
  if (target.starts_with('/')) return std::string(target);
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!Same(scheme, "http") && !Same(scheme, "https") && !Same(scheme, "ws") && !Same(scheme, "wss"))
    return std::nullopt;
  target.remove_prefix(colon + 3);
  const size_t path = std::min(target.find_first_of("/?#"), target.size());
  const std::string_view authority = target.substr(0, path);
  // An http URI with no host is invalid (RFC 9110, 4.2.1).
  if (authority.empty() || authority.starts_with(':') || !IsAuthority(authority)) return std::nullopt;
  target.remove_prefix(path);
  return target.starts_with('/') ? std::string(target) : std::string("/").append(target);
}

// Base64 of 16 bytes (RFC 6455, 4.2.1).
bool IsKey(std::string_view text) {
  return text.size() == 24 && text.ends_with("==") && std::all_of(text.begin(), text.end() - 2, [](char c) {
           return IsAlphanumeric(c) || c == '+' || c == '/';
         });
}

HttpVerdict JudgeUpgrade(const HttpHead& head, const std::vector<std::string>& subprotocols) {
  const auto versions = ValuesOf(head, "Sec-WebSocket-Version");
  if (versions.size() != 1 || versions.front() != "13") {
    HttpResponse response = UpgradeRequired("This server speaks version 13 of WebSocket, that of RFC 6455.");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  const auto keys = ValuesOf(head, "Sec-WebSocket-Key");
  if (keys.size() != 1 || !IsKey(keys.front()))
    return FaultResponse({400, "A WebSocket handshake has one Sec-WebSocket-Key, of 16 bytes in base64."});
  UpgradeRequest upgrade{.key = std::string(keys.front()), .protocol = {}};
  AnyElement(head, "Sec-WebSocket-Protocol", [&](std::string_view offered) {
    if (std::find(subprotocols.begin(), subprotocols.end(), offered) == subprotocols.end()) return false;
    upgrade.protocol = std::string(offered);
    return true;
  });
  return upgrade;
}

}  // namespace

HttpResponse FaultResponse(const HttpFault& fault) {
  return {.status = fault.status, .body = fault.sentence + "\n"};
}

HttpVerdict JudgeRequest(const HttpHead& head, const std::vector<std::string>& subprotocols) {
  if (auto fault = CheckHost(head)) return FaultResponse(*fault);
  Framing framing;
  if (auto fault = CheckFraming(head, framing)) return FaultResponse(*fault);
  if (auto refusal = CheckMethod(head.method)) return *std::move(refusal);
  // RFC 9110, 10.1.1. Whoever waits for 100 has the final answer at once: nobody needs the body.
  const bool expects_more =
      AnyElement(head, "Expect", [](std::string_view expected) { return !Same(expected, "100-continue"); });
  if (expects_more && head.minor_version > 0)
    return FaultResponse({417, "This server meets no expectation but 100-continue."});
  auto target = OriginForm(head.target);
  if (!target) return FaultResponse({400, "The target of the request is neither a path nor an http URL."});
  if (framing.too_large) {
    return FaultResponse(
        {413, fmt::format("The request has more than {} bytes of body, and needs none.", kMaxBodyBytes)});
  }
  // HTTP/1.0 has no Upgrade (RFC 9110, 7.8).
  const bool may_upgrade = head.method == "GET" && head.minor_version > 0;
  if (may_upgrade && HasElement(head, "Connection", "upgrade") && HasElement(head, "Upgrade", "websocket")) {
    if (framing.has_body) return FaultResponse({400, "A WebSocket handshake has no body."});
    return JudgeUpgrade(head, subprotocols);
  }
  if (may_upgrade && !ValuesOf(head, "Sec-WebSocket-Key").empty()) {
    return UpgradeRequired(
        "A WebSocket handshake has \"Upgrade: websocket\" and \"Connection: Upgrade\". A proxy on the way "
        "may have "
        "taken them out.");
  }
  return PageRequest{.target = *std::move(target)};
}

}  // namespace hubbub::net
