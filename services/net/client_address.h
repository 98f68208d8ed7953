#pragma once

#include <optional>
#include <string>
#include <variant>

#include "services/net/http_head.h"
#include "services/net/networks.h"

namespace hubbub::net {

// The client for whom a proxy that is trusted sends this request, as "address:port" (port 0: not said), by
// X-Forwarded-For, or by Forwarded (RFC 7239). Read from the right, for each proxy adds its own peer there:
// the first address that is no trusted proxy's. Nothing if the request does not say, or says what cannot be
// read. Other fields, such as X-Real-IP, mean nothing: proxies let a client's own go by. A fault if both
// fields are there and do not say the same: a proxy cares for one of them and lets a client's own go by, so
// that nobody can tell which is which. Pure function, thread-safe.
std::variant<std::optional<std::string>, HttpFault> ForwardedClient(const HttpHead& head,
                                                                    const Networks& trusted);

}  // namespace hubbub::net
