#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "connector/chat_servers/chat_links.h"
#include "connector/chat_servers/send_stream.h"
#include "connector/delivery/local_rooms.h"
#include "connector/delivery/membership.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/net/loop.h"

namespace hubbub::connector {

// The chat servers as one loop uses them: which can be reached, what is asked of them, and the lines for the
// loop's sends. Servers are named by their ids. Loop-only; `done` and `then` run on the loop, never before
// the function that took them has returned. One for each loop, owned by Connector; outlives the loop's
// sessions. Tests replace the virtual functions.
class ChatServers {
 public:
  using AddOutcome = std::tuple<absl::Status, chat::v1::AddResponse>;
  using HistoryOutcome = std::tuple<absl::Status, chat::v1::ListEventsResponse>;
  using RestoreDone = std::function<void(const absl::Status&, const chat::v1::RestoreResponse&)>;

  // How often a client that leaves waits for a chat server to hear of it.
  static constexpr int kTriesWhileWaitedFor = 8;

  // `rooms`: what sessions of the loop have; may be null, and otherwise outlives this object.
  ChatServers(ChatLinks& links, net::Loop& loop, const LocalRooms* rooms = nullptr);
  virtual ~ChatServers() = default;

  net::Loop& loop() const { return loop_; }

  // The connector's lease at a server; 0 while the server cannot be reached.
  virtual uint64_t LeaseOf(const std::string& server) const;
  // The run of a server that was reached last; 0 if it never was.
  virtual uint64_t IncarnationOf(const std::string& server) const;
  // The server that a room should be at, among those that can be reached; empty if there are none. A guess:
  // the chat servers alone know which of them has the room.
  virtual std::string BestFor(const std::string& room) const;
  // The servers that can be reached.
  virtual std::vector<std::string> Up() const;

  // ChatService.Add: what became of the call, and the answer. `request_id`: Session::request_id.
  boost::asio::awaitable<AddOutcome> Add(std::string server, chat::v1::AddRequest request,
                                         std::string request_id);
  // HistoryService.ListEvents.
  boost::asio::awaitable<HistoryOutcome> ListEvents(std::string server, chat::v1::ListEventsRequest request,
                                                    std::string request_id);
  // ChatService.Kick: takes a place back. A server that may not have heard is told again, twice a second and
  // then less often, for as long as the place's lease may stand: until it has heard, the others see a user
  // who is not there, and the name is taken. Returns when it has heard, or after kTriesWhileWaitedFor, when
  // TakeBack goes on.
  boost::asio::awaitable<void> Kick(std::string server, chat::v1::KickRequest place, std::string request_id);
  // The same for a place that no client waits to be rid of. Ends if the session has the place again.
  virtual void TakeBack(const std::string& server, const chat::v1::KickRequest& place);
  // ChatService.Restore.
  virtual void Restore(const std::string& server, const chat::v1::RestoreRequest& request, RestoreDone done);

  // The line for sends to a server under this lease; null while there is another lease, or none: then the
  // server may know nobody in the room, and what it took would reach nobody.
  virtual std::shared_ptr<SendStream> SendsTo(const std::string& server, uint64_t lease) const;
  // Names a chain of sends (ChainedSend.chain); no two of this loop are the same.
  uint64_t NextChain() { return ++chains_; }

  boost::asio::awaitable<void> Wait(std::chrono::milliseconds pause);
  // Calls `then` after the pause that follows `tries` tries (RetryPause).
  virtual void Later(int tries, std::function<void()> then);

 private:
  // Tells the server once that the place is given up. True if nothing is left to do.
  boost::asio::awaitable<bool> KickOnce(const std::string& server, const chat::v1::KickRequest& place,
                                        const std::string& request_id);
  boost::asio::awaitable<void> KickUntilHeard(std::string server, chat::v1::KickRequest place, int tries);

  ChatLinks& links_;
  net::Loop& loop_;
  const LocalRooms* const rooms_;
  uint64_t pauses_;  // Counted from a random number, so that no two loops wait alike.
  uint64_t chains_ = 0;
};

// The request that takes a membership's place back.
chat::v1::KickRequest KickRequestFor(const Membership& membership);

}  // namespace hubbub::connector
