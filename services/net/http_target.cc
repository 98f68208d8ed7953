#include "services/net/http_target.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsHex(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
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
  return text[end] == ':' && port.size() <= 5 && std::all_of(port.begin(), port.end(), absl::ascii_isdigit);
}

}  // namespace

std::optional<HttpFault> CheckHost(const HttpHead& head) {
  const auto hosts = ValuesOf(head, "Host");
  if (hosts.size() > 1) return HttpFault{400, "The request has more than one Host (RFC 9112, 3.2)."};
  if (hosts.empty() && head.minor_version > 0)
    return HttpFault{400, "The request has no Host, which HTTP/1.1 demands (RFC 9112, 3.2)."};
  if (!hosts.empty() && !IsAuthority(hosts.front()))
    return HttpFault{400, "The Host of the request is not a host and a port."};
  return std::nullopt;
}

std::optional<std::string> OriginForm(std::string_view target) {
  if (target.starts_with('/')) return std::string(target);
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!SameName(scheme, "http") && !SameName(scheme, "https") && !SameName(scheme, "ws") &&
      !SameName(scheme, "wss"))
    return std::nullopt;
  target.remove_prefix(colon + 3);
  const size_t path = std::min(target.find_first_of("/?#"), target.size());
  const std::string_view authority = target.substr(0, path);
  // An http URI with no host is invalid (RFC 9110, 4.2.1).
  if (authority.empty() || authority.starts_with(':') || !IsAuthority(authority)) return std::nullopt;
  target.remove_prefix(path);
  return target.starts_with('/') ? std::string(target) : std::string("/").append(target);
}

}  // namespace hubbub::net
