#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fmt/format.h"

namespace hubbub {

// "host:port", with brackets around an IPv6 address.
inline std::string HostPort(std::string_view host, uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

}  // namespace hubbub
