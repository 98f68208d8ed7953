#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::engine {

// The id of a session: 128 bits that nobody can guess, then the loop and the server that it lives at, so that
// a request which comes elsewhere can be told so, and a load balancer can read where it belongs. Pure
// functions, thread-safe.

struct SidPlace {
  size_t loop = 0;
  std::string_view server;
};

// `server`: as ServerTag made it.
std::string NewSid(size_t loop, std::string_view server);
// Nothing if `sid` cannot be of NewSid.
std::optional<SidPlace> PlaceOf(std::string_view sid);
// A server's id with nothing in it that a URL would escape.
std::string ServerTag(std::string_view id);

}  // namespace hubbub::engine
