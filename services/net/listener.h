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
#include "services/net/http_router.h"
#include "services/net/loop.h"
#include "services/net/networks.h"
#include "services/net/origins.h"
#include "services/net/protocol_factory.h"
#include "services/net/tls_context.h"
#include "services/net/traffic.h"
#include "services/net/waiting.h"

namespace hubbub::net {

// How long an HTTP connection may last. The same for all; only tests have other values.
struct HttpLimits {
  // Between two requests.
  std::chrono::milliseconds idle{30'000};
  // How long an asynchronous handler may take. Then the client gets status 504.
  std::chrono::milliseconds handler{60'000};
  // The answer to the last request, or to the first one after this age, says that the connection ends.
  int requests = 1'000;
  std::chrono::milliseconds age{10 * 60'000};
};

struct ListenerOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 0;
  // Further clients are told that this server is full, and closed.
  int max_connections = 100'000;
  // Of them, those from one machine (MachineOf); proxies that are trusted do not count, but their clients do.
  // Beyond, clients are told Seats::kTooMany.
  int max_per_machine = 100'000;
  // The most bytes, over all clients, that wait for clients whose sockets take no more. Beyond, the clients
  // with most of them are closed as slow.
  size_t max_waiting_bytes = size_t{512} << 20;
  // The loops' counts of them, with a bound in place of that one, if others have clients on the loops too;
  // empty: the listener has its own.
  WaitingByLoop waiting = {};
  // The largest WebSocket message, and the most that a TCP client may have waiting, until the protocol allows
  // more (Connection::AllowMessages). A Pomelo handshake is far below it.
  size_t max_message_bytes = 64 * 1024;
  // From accept to the end of an HTTP request's head or the first TCP byte. Each further head, a body, and
  // the writing of an answer have the same time.
  std::chrono::milliseconds setup_timeout{10'000};
  HttpLimits http = {};
  // Proxies that are believed when they say who their client is, by the PROXY protocol or in a request's
  // fields (proxy_header.h, client_address.h).
  Networks trusted_proxies = {};
  Origins origins = {};  // The pages that may use the listener's HTTP and WebSocket.
  Patience patience = {};
  const TlsContext* tls = nullptr;  // Null: there is no TLS. It outlives the listener.
  // Clients may come without TLS. If they may not, those of HTTP get status 400, but for kHealthPath, and
  // those of TCP are told "tls" by ProtocolFactory::refuse.
  bool allow_plain = true;
};

// Accepts clients on one port and tells WebSocket, plain HTTP and TCP apart by the first byte: a Pomelo
// package starts with 1 to 5, an HTTP request with a capital letter, or with an empty line, and TLS, through
// which all of them may come, with 0x16. Connections are spread over the loops in turn; each lives and dies
// on its own. A client for which there is no place (services/net/seats.h) is told why by
// ProtocolFactory::refuse, or by status 503 or 429. Thread-safe. Its loops outlive it.
class Listener {
 public:
  // Binds and starts to accept; the error says which address and why. `tcp`: the protocol of TCP clients. The
  // listener adds a route of its own at kHealthPath.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(Loops& loops, ListenerOptions options,
                                                         ProtocolFactory tcp, HttpRouter router);
  ~Listener();

  uint16_t port() const;
  // Connections now, without those that are being turned away, and without those of HTTP that are kept open.
  int connections() const;
  // True if there is no place for one more.
  bool full() const;
  Traffic traffic() const;

  // Calls `listener` whenever full() has changed, on any loop; with nothing, never again.
  void OnFullChange(std::function<void()> listener);

  // From now on new clients cannot stay: they are told `reason`. The port answers HTTP until the end.
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
