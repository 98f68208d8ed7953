#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "connector/membership.h"
#include "connector/send_line.h"
#include "services/net/connection.h"
#include "services/session/session.h"

namespace hubbub::connector {

// The lines to the chat servers, as the sends of a loop see them. Loop-only.
class SendLines {
 public:
  virtual ~SendLines() = default;
  // The line to the chat server where the membership has its place, or null if it has none there now.
  virtual std::shared_ptr<SendLine> LineOf(const Membership& membership) = 0;
  // Calls `then` after a pause (RetryPause), as before the try after so many.
  virtual void Later(int tries, std::function<void()> then) = 0;

  uint64_t NextChain() { return ++chains_; }

 private:
  uint64_t chains_ = 0;
};

// How much of a session's sends waits for answers. Loop-only.
struct SendLoad {
  size_t sends = 0;
  size_t bytes = 0;
  std::function<void()> when_idle;  // Called once there are none.
};

// The sends of one session into one room: they go out one after the other without waiting for the answers,
// and keep their order whatever happens. One that could not be done now, because the room is on its way to
// another chat server, waits, with all behind it, until those before it and after it are back, and is then
// sent again. One that may have been done is sent again only if it has an id, by which the room knows it.
// Each send names the place that the membership has just then: the room takes it from nobody who has left.
// Loop-only. Owned by its membership, and by the line while answers are due.
class RoomSends final : public SendSink, public std::enable_shared_from_this<RoomSends> {
 public:
  // `membership` and `lines` live until Close. `load` is the session's.
  RoomSends(const Membership& membership, SendLines& lines, std::shared_ptr<SendLoad> load)
      : membership_(&membership), lines_(&lines), load_(std::move(load)) {}

  // Answers by `deadline` at the latest, if it is not on its way then.
  void Send(chat::v1::SendRequest request, Reply reply, net::Clock::time_point deadline);
  // The membership has ended: what is not on its way is not sent any more.
  void Close();
  // True if every send has been answered.
  bool idle() const { return queue_.empty(); }
  // `then` is called once, as soon as it is idle again.
  void WhenIdle(std::function<void()> then) { when_idle_ = std::move(then); }

  void OnAnswer(const absl::Status& status, const chat::v1::SendResponse& response, bool certain) override;

 private:
  struct One {
    chat::v1::ChainedSend send;
    Reply reply;
    net::Clock::time_point deadline;
  };

  // Sends what has not been sent, if nothing is to be waited for.
  void Pump();
  // All that was on its way is back; what is left is sent again after a moment.
  void Pause();
  // Takes one out of the queue and gives `answer` its reply.
  void End(size_t index, const std::function<void(Reply)>& answer);

  const Membership* membership_;  // Null once closed.
  SendLines* lines_;
  const std::shared_ptr<SendLoad> load_;
  // In order: those that are back and have to be sent again, those that are on their way, and the rest.
  std::deque<std::unique_ptr<One>> queue_;
  size_t back_ = 0;
  size_t sent_ = 0;       // Back, or on their way.
  bool waits_ = false;    // Nothing is sent before all are back, and a pause.
  bool paused_ = false;   // The pause has begun.
  absl::Status why_;      // It waits.
  bool refused_ = false;  // By a chat server, since the last pause.
  int refusals_ = 0;      // Pauses for that, one after the other.
  uint64_t chain_ = 0;
  std::shared_ptr<SendLine> line_;  // On which it was sent.
  std::function<void()> when_idle_;
};

}  // namespace hubbub::connector
