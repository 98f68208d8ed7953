#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "services/engine/answer.h"
#include "services/engine/lane.h"
#include "services/engine/poll_queue.h"
#include "services/net/connection.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// How a session answers a client that polls: the poll that waits for something to be sent, what waits for the
// next poll, and the POST that is under way. Counts in its lane what it answers and what waits. Loop-only.
// Owned by its session.
class Polls {
 public:
  Polls(Lane& lane, socketio::EngineVersion version) : lane_(lane), version_(version) {}

  // What waits, with net::kPayloadCost for each payload: as it is, and as the lane knows it.
  size_t bytes() const { return queue_.bytes(); }
  size_t counted() const { return counted_; }
  bool empty() const { return queue_.empty(); }
  void Add(net::Payload frames);
  // Moves what waits to a WebSocket.
  void MoveTo(net::Connection& socket);
  void Clear();

  // A poll waits.
  bool polled() const { return poll_.has_value(); }
  void BeginPoll(Answer poll) { poll_.emplace(std::move(poll)); }
  // Answers the poll with what waits; false if nothing does.
  bool AnswerPoll();
  // Ends the poll, if one waits, with a packet of the engine's own.
  void EndPoll(socketio::EngineType type);

  // A POST is under way.
  bool posting() const { return post_.has_value(); }
  void BeginPost(Answer post) { post_.emplace(std::move(post)); }
  // Ends the POST, if one is under way.
  void EndPost();

 private:
  // Every answer to a poll or POST goes this way, and is counted.
  void Give(std::optional<Answer>& request, std::string body);
  void Count();

  Lane& lane_;
  const socketio::EngineVersion version_;
  PollQueue queue_;
  size_t counted_ = 0;
  std::optional<Answer> poll_;
  std::optional<Answer> post_;
};

}  // namespace hubbub::engine
