#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/net/http_head.h"

namespace hubbub::net {

// What a request is for (RFC 9112, 3.2). Pure functions, thread-safe.

// A fault unless the request has one Host that is a host and a port, or is HTTP/1.0 and has none.
std::optional<HttpFault> CheckHost(const HttpHead& head);

// A target in origin form ("/path?query"), from that or from absolute form; nothing if it is neither.
std::optional<std::string> OriginForm(std::string_view target);

}  // namespace hubbub::net
