#include "services/engine/poll_queue.h"

#include <string_view>
#include <utility>

#include "services/net/read_frames.h"

namespace hubbub::engine {

std::string PollQueue::TakePayload(socketio::EngineVersion version) {
  std::string payload;
  do {
    const net::Payload frames = Take();
    net::ForEachFrame(*frames,
                      [&](std::string_view packet) { socketio::AppendToPayload(version, packet, payload); });
  } while (!waiting_.empty() && payload.size() + waiting_.front()->size() <= kMostAtOnce);
  return payload;
}

net::Payload PollQueue::Take() {
  if (waiting_.empty()) return nullptr;
  net::Payload first = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= first->size() + net::kPayloadCost;
  return first;
}

}  // namespace hubbub::engine
