#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::net {

// The header that a proxy of TCP puts before a client's own bytes to say whose they are: the PROXY protocol,
// versions 1 and 2 (HAProxy's proxy-protocol.txt). Only to be read from a proxy that is trusted, for anybody
// can write one. Pure, thread-safe.

// A header of version 2 may carry more than we read. Proxies send some dozens of bytes.
inline constexpr size_t kMaxProxyHeaderBytes = 2048;

struct ProxyHeader {
  enum class Kind {
    kNone,        // The bytes do not begin with one.
    kIncomplete,  // They may, but it is not whole yet.
    kFault,       // They do, and it is wrong.
    kWhole,
  };
  Kind kind = Kind::kNone;
  size_t size = 0;  // Of a whole one.
  // The client, as "address:port"; nothing if the proxy speaks for itself, or does not know.
  std::optional<std::string> client = std::nullopt;
  // The proxy speaks for itself, as it does to see whether a server is there.
  bool own = false;
};

ProxyHeader ReadProxyHeader(std::string_view bytes);

}  // namespace hubbub::net
