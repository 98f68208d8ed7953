#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hubbub::net {

// Frames of WebSocket as a server writes them: whole binary messages, without a mask (RFC 6455, 5.2), so that
// a frame's bytes are the same for every client. Pure functions, thread-safe.

// Begins a frame at the end of `out`, to which its body is then appended. Answers what EndFrame wants.
size_t BeginFrame(std::string& out);
// Ends it. A frame that got no body is taken out again. Answers the body, which lies in `out`.
std::string_view EndFrame(size_t start, std::string& out);

// Appends bytes to `out` by `append(out)`: in a frame of their own, if `framed`.
template <typename Append>
void AppendFrame(bool framed, std::string& out, Append append) {
  if (!framed) return append(out);
  const size_t start = BeginFrame(out);
  append(out);
  EndFrame(start, out);
}

}  // namespace hubbub::net
