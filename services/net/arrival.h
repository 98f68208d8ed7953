#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "boost/beast/core/flat_buffer.hpp"
#include "services/net/client_stream.h"
#include "services/net/connection_set.h"
#include "services/net/protocol_factory.h"
#include "services/net/set_up.h"
#include "services/net/socket.h"
#include "services/net/socket_connection.h"
#include "services/net/ticket.h"
#include "services/net/websocket_connection.h"

namespace hubbub::net {

// A client from accept until it has a protocol: its socket, its ticket and its deadline. Loop-only. Shared by
// the operations that are under way for the client, and destroyed with the last of them. The loop's
// ConnectionSet lists it until then, but does not own it.
class Arrival : public std::enable_shared_from_this<Arrival> {
 public:
  // `stream` is bound to the loop of `set`, and connected to `peer`.
  Arrival(std::shared_ptr<ConnectionSet> set, Ticket ticket, ClientStream stream, std::string peer,
          bool by_proxy, std::shared_ptr<const SetUp> setup);
  ~Arrival();
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  const SetUp& setup() const { return *setup_; }
  Loop& loop() { return set_->loop(); }
  Ticket& ticket() { return ticket_; }
  ClientStream& stream() { return stream_; }
  // The same without TLS.
  Socket& socket() { return stream_.next_layer(); }
  const std::string& peer() const { return peer_; }
  // True if what comes now is a proxy's word, which is believed when it says who the proxy's client is.
  bool by_proxy() const { return by_proxy_; }
  // A proxy's header (ProxyHeader) has named this client, or has told that the proxy does not know it. From
  // here on the bytes are that client's own, and no proxy's word, unless it is a proxy that is trusted too:
  // else a client could name any address behind the header. False as SetPeer says.
  bool StandFor(std::optional<std::string> client);
  // The client is the one that its proxy names, as "address:port". False if it has to go, and goes, because
  // there are too many of its machine.
  bool SetPeer(std::string peer);
  // What Connection::TakeBearer will return.
  void SetBearer(std::string token) { bearer_ = std::move(token); }
  Clock::time_point Now() const { return set_->Now(); }
  // For the counters that any thread reads.
  TrafficCounters& traffic() { return set_->traffic(); }
  // True once the listener has ended: nothing new may start.
  bool ended() const { return set_->ended(); }

  // Gives the client `time` from now on, by the clients' clock (ClientClock). When the client is late
  // (IsLate), the function that OnLate got last is called.
  void EndAfter(Clock::duration time);
  void OnLate(absl::AnyInvocable<void()> on_late) { on_late_ = std::move(on_late); }

  // Closes the socket at once. Operations that are under way end with an error.
  void GiveUp();

  // Moves the client to another loop, and calls `then` there with its arrival of that loop, whose deadline
  // has not begun. No operation may be under way, and nothing may be called here after it.
  void MoveTo(Loop& loop, absl::AnyInvocable<void(std::shared_ptr<Arrival>)> then);

  // Moves the stream into a WebSocket stream, which must shake hands before StartWebSocket.
  WebSocketStream& MakeStream();

  // Each makes the connection and its protocol, or sends the client away if the client is a guest. Nothing
  // may be called after it. `read`: the bytes that were read from the stream already.
  void StartTcp(beast::flat_buffer read);
  // As StartTcp of a guest, but the client is told `reason`.
  void RefuseTcp(beast::flat_buffer read, std::string reason);
  void StartWebSocket(const ProtocolFactory& protocol, bool ends_without_frame);

 private:
  static constexpr std::chrono::milliseconds kLookAgain{100};

  void Watch(Clock::duration wait);
  void OnTimer();
  // Wherever it is now.
  ClientStream& Present();
  SocketConnection::Client TakeClient();
  // `refusal`: Ticket::refusal, taken before the connection got the ticket.
  void Run(std::optional<std::string> refusal, const std::shared_ptr<SocketConnection>& connection,
           const ProtocolFactory& protocol);

  const std::shared_ptr<ConnectionSet> set_;
  Ticket ticket_;
  const std::shared_ptr<const SetUp> setup_;
  ClientStream stream_;
  std::optional<WebSocketStream> web_socket_;  // Has the stream after MakeStream.
  std::string peer_;
  bool by_proxy_;
  std::string bearer_;
  Timer timer_;
  Clock::duration patience_{};
  Clock::time_point late_at_;
  absl::AnyInvocable<void()> on_late_;
};

}  // namespace hubbub::net
