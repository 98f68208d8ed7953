#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "services/net/connection.h"
#include "services/net/waiting.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// What waits for a client's next poll, as frames of text messages (services/net/frame.h): the bytes that
// clients with a WebSocket get too. Not thread-safe.
class PollQueue {
 public:
  void Add(net::Payload frames) {
    bytes_ += frames->size() + net::kPayloadCost;
    waiting_.push_back(std::move(frames));
  }
  bool empty() const { return waiting_.empty(); }
  // With net::kPayloadCost for each element.
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

}  // namespace hubbub::engine
