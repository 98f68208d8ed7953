#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/net/connection.h"
#include "services/net/http_response.h"
#include "services/net/loop.h"
#include "services/net/traffic.h"

namespace hubbub::net {

struct ListenerOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 0;
  // Further clients are told that this server is full, and closed.
  int max_connections = 100'000;
  // The largest WebSocket message, and the most that a TCP client may have waiting, until the protocol allows
  // more (Connection::AllowMessages). A Pomelo handshake is far below it.
  size_t max_message_bytes = 64 * 1024;
  // From accept to the end of the WebSocket handshake or the first TCP byte.
  std::chrono::milliseconds setup_timeout{10'000};
  // WebSocket subprotocols that a client may ask for: it gets the first that it names.
  std::vector<std::string> subprotocols = {"pomelo"};
  Patience patience = {};
};

// Makes the protocol for a new connection, on the connection's loop.
using ProtocolFactory = std::function<std::unique_ptr<Protocol>(Loop&, Connection&)>;
// Answers a GET or HEAD that is no WebSocket upgrade and not for kHealthPath, which the listener answers.
// `target` is in origin form: "/path?query". Called on any loop.
using HttpHandler = std::function<HttpResponse(std::string_view target)>;

// Accepts clients on one port and tells WebSocket, plain HTTP and TCP apart by the first byte: a Pomelo
// package starts with 1 to 5, an HTTP request with a capital letter, or with an empty line (ARCHITECTURE.md,
// "The client protocol"). Connections are spread over the loops in turn; each lives and dies on its own. For
// whom there is no place, see services/net/seats.h: it gets a kick with the reason, or 503. Thread-safe.
// Owned by main; its loops outlive it.
class Listener {
 public:
  // Binds and starts to accept; the error says which address and why.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(Loops& loops, ListenerOptions options,
                                                         ProtocolFactory make_protocol, HttpHandler http);
  ~Listener();

  uint16_t port() const;
  // Connections now, without those that are being turned away.
  int connections() const;
  // True if there is no place for one more.
  bool full() const;
  Traffic traffic() const;

  // Calls `listener` whenever full() has changed, on any loop; with nothing, never again.
  void OnFullChange(std::function<void()> listener);

  // From now on nobody can stay: who comes is told `reason`, and the port goes on answering HTTP until the
  // end.
  void Drain(std::string_view reason);
  // Has every connection's protocol say goodbye, in batches, so that the clients do not all come back
  // elsewhere at the same moment, and waits for their end, at most `timeout`.
  void CloseAll(std::string_view detail, std::chrono::milliseconds timeout);

  class Impl;

 private:
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hubbub::net
