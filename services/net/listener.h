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
#include "services/net/loop.h"
#include "services/net/traffic.h"

namespace hubbub::net {

// An answer to a plain HTTP request.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct ListenerOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 0;
  // Further clients are closed at once.
  int max_connections = 100'000;
  // The largest WebSocket message, and the most that a TCP client may have waiting.
  size_t max_message_bytes = 64 * 1024;
  // From accept to the end of the WebSocket handshake or the first TCP byte.
  std::chrono::milliseconds setup_timeout{10'000};
  Patience patience = {};
};

// Makes the protocol for a new connection, on the connection's loop.
using ProtocolFactory = std::function<std::unique_ptr<Protocol>(Loop&, Connection&)>;
// Answers a GET or HEAD that is no WebSocket upgrade. Called on any loop.
using HttpHandler = std::function<HttpResponse(std::string_view target)>;

// Accepts clients on one port and tells WebSocket, plain HTTP and TCP apart by the first byte: a Pomelo
// package starts with 1 to 5, an HTTP request with a capital letter (ARCHITECTURE.md, "The client protocol").
// Connections are spread over the loops in turn; each lives and dies on its own. Thread-safe. Owned by main;
// its loops outlive it.
class Listener {
 public:
  // Binds and starts to accept; the error says which address and why.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(Loops& loops, ListenerOptions options,
                                                         ProtocolFactory make_protocol, HttpHandler http);
  ~Listener();

  uint16_t port() const;
  // Connections now.
  int connections() const;
  Traffic traffic() const;

  // Accepts nobody any more.
  void StopAccepting();
  // Has every connection's protocol say goodbye, in batches, so that the clients do not all come back
  // elsewhere at the same moment, and waits for their end, at most `timeout`.
  void CloseAll(std::string_view detail, std::chrono::milliseconds timeout);

  class Impl;

 private:
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hubbub::net
