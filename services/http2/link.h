#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "boost/asio/ip/tcp.hpp"
#include "services/http2/call.h"
#include "services/http2/connection.h"
#include "services/net/loop.h"
#include "services/net/socket.h"

namespace hubbub::http2 {

// A Connection over a socket, from the connecting to its end: when it breaks, when the server does not answer
// in time, or when the server has sent everybody away and no call is left. What it writes within a turn of
// its loop leaves in one system call. Loop-only. It owns itself while its socket is open.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(net::Loop& loop, const net::asio::ip::tcp::endpoint& server);

  void Connect();
  std::shared_ptr<Call> Open(CallRequest request, CallEvents events);
  // It may be asked for calls.
  bool TakesCalls() const { return !closed_ && !connection_.going_away(); }
  // Ends it, and its calls with this status. Once it is closed, nothing happens.
  void Close(const absl::Status& status);

 private:
  void OnConnected(boost::system::error_code error);
  void Read();
  void FlushSoon();
  void Flush();
  // Writes what the socket takes at once. False if the rest waits for it, or it is broken.
  bool WriteNow();
  // Looks again when the server may be late with its first word, or with a sign of life.
  void Watch();
  void OnWatch();
  bool HasUnread();

  net::Loop& loop_;
  const net::asio::ip::tcp::endpoint server_;
  const std::string address_;  // The same, for people.
  net::Socket socket_;
  net::Timer timer_;
  Connection connection_;
  std::vector<char> read_;
  std::string output_;
  net::Clock::time_point started_;
  net::Clock::time_point heard_;   // When something has come last.
  net::Clock::time_point pinged_;  // While asked_.
  bool asked_ = false;             // For a sign of life, since when nothing has come.
  bool connected_ = false;
  bool writing_ = false;  // Waits until the socket takes more.
  bool flush_is_due_ = false;
  bool closed_ = false;
};

}  // namespace hubbub::http2
