#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "connector/chat_servers/chat_servers.h"
#include "connector/chat_servers/send_stream.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/client/client_session.h"
#include "services/net/connection.h"

namespace hubbub::connector {

// The sends of one session, into all its rooms, that wait for their answers. Loop-only.
struct SendLoad {
  size_t sends = 0;
  size_t bytes = 0;
  std::function<void()> when_idle;  // Called once, as soon as no send waits.
};

// The sends of one session into one room: they go out one after the other without waiting for the answers,
// and keep their order whatever happens. A send that could not be done yet, because the room is on its way to
// another chat server, waits with all sends behind it until every answer is here, and is then sent again. A
// send that may have been done is sent again only if it has an id, by which the room knows it. Each send
// names the place that the membership has at that time, because the room refuses sends of a user who has
// left. Loop-only. Shared by the session's handler (later by Partings), and by the line while answers are
// due.
class RoomSends final : public std::enable_shared_from_this<RoomSends> {
 public:
  // `membership` and `servers` live until Close. `load` is the session's.
  RoomSends(const Membership& membership, ChatServers& servers, std::shared_ptr<SendLoad> load)
      : membership_(&membership), servers_(&servers), load_(std::move(load)) {}

  // Answers by `deadline` at the latest, unless the send is on its way then.
  void Send(chat::v1::SendRequest request, client::Reply reply, net::Clock::time_point deadline);
  // The membership has ended: sends that are not on their way are refused.
  void Close();
  // True if every send has been answered.
  bool idle() const { return queue_.empty(); }
  // Calls `then` once, as soon as idle() is true again.
  void WhenIdle(std::function<void()> then) { when_idle_ = std::move(then); }

  // The answer to the oldest send that is on its way. `certain`: the chat server said so itself, so an error
  // means that nothing has happened, or that it does not know (UNKNOWN). Otherwise the line broke, and nobody
  // knows what has happened.
  void OnAnswer(const absl::Status& status, const chat::v1::SendResponse& response, bool certain);

 private:
  struct One {
    std::shared_ptr<chat::v1::ChainedSend> send;  // Constant once it is on its way: the line shares it.
    client::Reply reply;
    net::Clock::time_point deadline;
  };

  // Sends what has not been sent, unless sends have to wait.
  void Pump();
  // Every answer is here: sends what is left again after a pause.
  void Pause();
  // Takes a send out of the queue and gives `answer` its reply.
  void End(size_t index, const std::function<void(client::Reply)>& answer);

  const Membership* membership_;  // Null once closed.
  ChatServers* servers_;
  const std::shared_ptr<SendLoad> load_;
  // In order: sends that are back and have to be sent again, sends that are on their way, and the rest.
  std::deque<std::unique_ptr<One>> queue_;
  size_t back_ = 0;
  size_t sent_ = 0;       // Back, or on their way.
  bool waits_ = false;    // Nothing is sent until every answer is here, and a pause is over.
  bool paused_ = false;   // That pause has begun.
  absl::Status why_;      // Why sends wait.
  bool refused_ = false;  // A chat server has refused a send since the last pause.
  int refusals_ = 0;      // How many pauses in a row came after a refusal.
  uint64_t chain_ = 0;
  std::shared_ptr<SendStream> line_;  // The last one that was used; null before that.
  std::function<void()> when_idle_;
};

}  // namespace hubbub::connector
