#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "boost/asio/steady_timer.hpp"
#include "connector/chat_servers/send_queue.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/http2/call.h"
#include "services/net/connection.h"
#include "services/net/loop.h"
#include "services/rpc/retry.h"

namespace hubbub::connector {

class RoomSends;

// The line of one loop for sends to one chat server, which takes them in order, without waiting for the
// answers, and answers those of one RoomSends in order; the answers of others may overtake: a
// ChatService.SendStream call that is opened when there is something to send and no call stands. What is sent
// in one turn of the loop, or while a write is in flight, leaves together. A call that owes an answer for too
// long is cancelled, which breaks the line for all that wait. Loop-only, except Close. Shared by its
// ChatLink, its loop's timers, its call, and the RoomSends that use it. Tests replace the virtual functions.
class SendStream : public std::enable_shared_from_this<SendStream> {
 public:
  // The line to this chat server, whose calls `open` opens on this loop. `lease` is the connector's lease
  // there, 0 while there is none; it changes on any thread.
  SendStream(net::Loop& loop, http2::OpenCall open, std::string server,
             std::shared_ptr<const std::atomic<uint64_t>> lease)
      : loop_(loop),
        open_(std::move(open)),
        server_(std::move(server)),
        lease_(std::move(lease)),
        next_look_(loop.context()) {}
  virtual ~SendStream() = default;

  // True if what is sent here goes to the chat server where the place is, and the place's lease stands.
  virtual bool LeadsTo(const Membership::At& at) const { return *lease_ == at.lease && server_ == at.server; }

  // `sends` gets the answer later, never before this has returned. The line gives `send` its number, and from
  // then on it does not change any more: it may be written on another thread, even after its answer.
  virtual void Send(std::shared_ptr<chat::v1::ChainedSend> send, std::shared_ptr<RoomSends> sends);
  // No more sends of a chain will come that the chat server has refused a send of.
  virtual void EndChain(uint64_t chain);
  // Breaks the line for good. Thread-safe.
  void Close();

 private:
  struct Waiting {
    std::shared_ptr<RoomSends> sends;  // Null once it is answered.
    net::Clock::time_point since;
  };

  static constexpr std::chrono::milliseconds kLongestWait = rpc::kCallDeadline;
  static constexpr std::chrono::milliseconds kLookEvery{500};

  void Open();
  void FlushSoon();
  void Flush();
  void Watch();
  void OnAnswers(std::string_view message);
  void OnEnd(const absl::Status& status);
  // What waits for the answer to the send with this number, and does not any more. Null if nobody
  // waits.
  std::shared_ptr<RoomSends> TakeWaiting(uint64_t number);

  net::Loop& loop_;
  const http2::OpenCall open_;
  const std::string server_;
  const std::shared_ptr<const std::atomic<uint64_t>> lease_;
  std::shared_ptr<http2::Call> call_;  // Null while there is none, as is what waits to leave on it.
  std::unique_ptr<SendQueue> queue_;
  bool writing_ = false;  // A message of it has not left yet.
  // For an answer of it: first the one whose number is first_number_, which is not answered, then those with
  // the next numbers.
  std::deque<Waiting> waiting_;
  uint64_t first_number_ = 1;
  boost::asio::steady_timer next_look_;
  bool flush_is_due_ = false;
  bool watching_ = false;
  bool closed_ = false;
};

}  // namespace hubbub::connector
