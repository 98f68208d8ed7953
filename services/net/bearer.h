#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "services/net/http_head.h"
#include "services/net/http_request.h"

namespace hubbub::net {

// The bearer token that a request shows (RFC 6750), in an Authorization field or, since browsers cannot send
// one with a WebSocket handshake, as the query parameter access_token; empty if it shows none. The parameter
// is taken as it stands: what JWTs are written with is not escaped in a URL. A fault if it shows two. Pure
// function, thread-safe.
std::variant<std::string, HttpFault> BearerOf(const HttpHead& head, std::string_view target);
// The same of a request that a handler has got.
std::variant<std::string, HttpFault> BearerOf(const HttpRequest& request);

}  // namespace hubbub::net
