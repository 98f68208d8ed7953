#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "services/net/connection.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// What waits for a client's next poll, as frames of text messages (services/net/frame.h): the bytes that
// clients with a WebSocket get too. Not thread-safe.
class PollQueue {
 public:
  void Add(net::Payload frames) {
    bytes_ += frames->size();
    waiting_.push_back(std::move(frames));
  }
  bool empty() const { return waiting_.empty(); }
  size_t bytes() const { return bytes_; }

  // Takes what is at the front as the payload of one poll: about kMostAtOnce bytes, and at least one element.
  std::string TakePayload(socketio::EngineVersion version);
  // Takes the frames one by one, for a WebSocket; null if there are none.
  net::Payload Take();

 private:
  static constexpr size_t kMostAtOnce = size_t{256} * 1024;

  std::deque<net::Payload> waiting_;
  size_t bytes_ = 0;
};

// Calls `visit` with the body of each frame. REQUIRES: frames as a server writes them, and whole.
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

}  // namespace hubbub::engine
