#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hubbub::net {

// WebSocket frames as a server writes them: each is a whole message without a mask (RFC 6455, 5.2), so a
// frame's bytes are the same for every client. Pure functions, thread-safe.

// What surrounds one package on the wire.
enum class Framing {
  kNone,    // Nothing: TCP.
  kText,    // A frame with a text message.
  kBinary,  // A frame with a binary message.
};

// Begins a frame at the end of `out`; the caller then appends the body to `out`. Returns EndFrame's `start`.
size_t BeginFrame(Framing framing, std::string& out);
// Ends the frame that began at `start`. If the frame has no body, removes it from `out`. Returns the body, a
// view into `out`.
std::string_view EndFrame(Framing framing, size_t start, std::string& out);

// Appends one frame whose body is what `append(out)` appends. Returns the body, a view into `out`.
template <typename Append>
std::string_view AppendFrame(Framing framing, std::string& out, Append append) {
  const size_t start = BeginFrame(framing, out);
  append(out);
  return EndFrame(framing, start, out);
}

}  // namespace hubbub::net
