#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "services/testing/tcp_client.h"

namespace hubbub::testing {

// A Pomelo client over TCP for tests, with JSON bodies. Blocks; whatever does not come within 20 seconds is
// an error; errors are std::runtime_error. Thread-compatible.
class PomeloClient {
 public:
  struct Push {
    std::string route;
    boost::json::object body;
  };

  // Connects, shakes hands and begins to work. `type` goes into the handshake; empty gets JSON bodies.
  explicit PomeloClient(uint16_t port, std::string_view type = "");

  // The answer to a request. Pushes that come before it are kept.
  boost::json::object Request(std::string_view route, const boost::json::object& body);
  // A request whose answer is not waited for.
  void Ask(std::string_view route, const boost::json::object& body);
  void Notify(std::string_view route, const boost::json::object& body);
  // The next push that has not been asked for yet.
  Push NextPush();
  // Reads on until the server kicks or closes: the kick's reason, or "closed". Pushes are kept.
  std::string ReadEnd();
  // No more is asked: TCP's half of an end.
  void EndSending() { socket_.EndSending(); }
  void Close() { socket_.Close(); }
  // Ends at once, so that nothing that is owed is waited for.
  void Reset() { socket_.Reset(); }

  const boost::json::object& handshake() const { return handshake_; }

 private:
  struct Incoming {
    enum class Kind { kResponse, kPush, kKick, kEnd } kind = Kind::kEnd;
    uint64_t id = 0;
    Push push;
    boost::json::object body;
  };
  // The next package that says something: heartbeats do not.
  Incoming Read();

  TcpClient socket_;
  boost::json::object handshake_;
  uint64_t last_id_ = 0;
  std::deque<Push> pushes_;
};

}  // namespace hubbub::testing
