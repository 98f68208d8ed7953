#pragma once

#include <memory>
#include <string>

#include "boost/asio/ip/tcp.hpp"
#include "services/http2/call.h"
#include "services/http2/link.h"
#include "services/net/loop.h"

namespace hubbub::http2 {

// Makes calls to one gRPC server from one loop, without gRPC's library and its threads: a message that comes
// is read where its clients' sockets are. It connects when a call is opened and there is no connection that
// takes calls; it does not wait before it does so again, which is for those who open calls. Plain, without
// TLS, and to an address: names are for gRPC's library, whose resolver does not hold a loop up. Loop-only; it
// may be destroyed elsewhere once it is closed.
class Channel {
 public:
  Channel(net::Loop& loop, const net::asio::ip::tcp::endpoint& server);
  ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  std::shared_ptr<Call> Open(CallRequest request, CallEvents events);
  // Ends all calls. A call that is opened later makes a connection of its own.
  void Close();
  // The same from any thread, some time later.
  static void CloseSoon(const std::shared_ptr<Channel>& channel);

 private:
  net::Loop& loop_;
  const net::asio::ip::tcp::endpoint server_;
  std::shared_ptr<Link> link_;  // The last one; null before.
};

}  // namespace hubbub::http2
