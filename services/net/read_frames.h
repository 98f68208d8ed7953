#pragma once

#include <cstddef>
#include <string_view>

namespace hubbub::net {

// Calls `visit` with the body of each frame. REQUIRES: frames as AppendFrame writes them (frame.h), and
// whole.
template <typename Visit>
void ForEachFrame(std::string_view frames, Visit visit) {
  while (frames.size() >= 2) {
    const auto byte = [&frames](size_t i) { return static_cast<unsigned char>(frames[i]); };
    const size_t wide = byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
    size_t size = wide == 0 ? byte(1) : 0;
    for (size_t i = 0; i < wide; ++i) size = size << 8 | byte(2 + i);
    visit(frames.substr(2 + wide, size));
    frames.remove_prefix(2 + wide + size);
  }
}

}  // namespace hubbub::net
