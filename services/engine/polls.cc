#include "services/engine/polls.h"

namespace hubbub::engine {

void Polls::Add(net::Payload frames) {
  queue_.Add(std::move(frames));
  Count();
}

void Polls::MoveTo(net::Connection& socket) {
  while (net::Payload frames = queue_.Take()) socket.Send(std::move(frames));
  Count();
}

void Polls::Clear() {
  queue_ = {};
  Count();
}

bool Polls::AnswerPoll() {
  if (queue_.empty()) return false;
  std::string payload = queue_.TakePayload(version_);
  Count();
  Give(poll_, std::move(payload));
  return true;
}

void Polls::EndPoll(socketio::EngineType type) {
  if (!poll_) return;
  std::string payload;
  socketio::AppendToPayload(version_, std::string(1, socketio::DigitOf(type)), payload);
  Give(poll_, std::move(payload));
}

void Polls::EndPost() {
  if (post_) Give(post_, "ok");
}

void Polls::Give(std::optional<Answer>& request, std::string body) {
  lane_.traffic().sent_bytes.Add(body.size());
  std::exchange(request, std::nullopt)->Text(std::move(body));
}

void Polls::Count() {
  const size_t before = std::exchange(counted_, queue_.bytes());
  lane_.Wait(before, counted_);
}

}  // namespace hubbub::engine
