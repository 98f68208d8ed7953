#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "services/base/line_limit.h"
#include "services/rpc/open_sockets.h"

namespace hubbub::rpc {

// Accepts connections to one TCP port for gRPC, on a thread of its own. gRPC 1.51's own acceptor stops for
// ever once the process has no file descriptor left (CVE-2023-4785); this one waits until there is one again.
// It also bounds how many connections there are, and closes those beyond. Thread-safe. Owned by Server.
class Acceptor {
 public:
  struct Options {
    // A name or an address: each of its addresses is listened on. Both wildcards, 0.0.0.0 and ::, stand for
    // all addresses of IPv4 and IPv6.
    std::string host;
    uint16_t port = 0;  // 0: any free one.
    int max_connections = 1'000;
    // From one address, or from one /64 of IPv6, which one machine may have: so that one stranger leaves room
    // for the suite.
    int max_per_address = 1'000;
    int keepalive_timeout_ms = 5'000;  // A connection ends if its peer acknowledges nothing for this time.
  };
  // Takes over `fd`, which is non-blocking, and of which it may be said that it came by `listener`. Runs on
  // the thread; must not block.
  using OnConnection = std::function<void(int listener, int fd)>;

  // Takes the port; connections wait until Start. The error says which address and why.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const Options& options);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  uint16_t port() const { return port_; }
  // Once.
  void Start(OnConnection on_connection);
  // Gives the port up. No call of OnConnection is under way afterwards.
  void Stop();

 private:
  explicit Acceptor(const Options& options) : options_(options) {}

  absl::Status Open();
  void Run();
  // Accepts the connections that wait; false if none can be accepted for a while.
  bool AcceptFrom(int listener);
  void Take(int listener, int fd);
  void SayFull(std::string_view source, int most, std::string_view whose);

  const Options options_;
  std::vector<int> listeners_;
  uint16_t port_ = 0;
  int stop_ = -1;  // An eventfd.
  OnConnection on_connection_;
  // On the thread alone.
  OpenSockets open_;
  LineLimit lines_;

  std::thread thread_;
};

}  // namespace hubbub::rpc
