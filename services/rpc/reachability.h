#pragma once

#include <cstdint>

#include "grpcpp/support/status.h"

namespace hubbub::rpc {

// What the ends of a stream to another server, which is opened again and again (StreamKeeper), say of that
// server. A stream that breaks is no loss: the server may be busy, or the network. It is lost when a new one
// cannot be had: at once if nobody listens at its address, for then its process has died; otherwise after
// two attempts, and a second. Pure. Not thread-safe: it belongs to the stream's callbacks. Times are
// SteadyNowMs.
class Reachability {
 public:
  // The time for which attempts must fail before a server that was reached counts as lost. With what
  // keepalive takes to notice a server that hangs (channel.h) it is less than clients are asked to wait.
  static constexpr int64_t kPatienceMs = 1'000;
  // A server that was never reached is most likely about to start: the time before the log says so.
  static constexpr int64_t kStartMs = 5'000;

  // True if no process listens at the address.
  static bool Refused(const grpc::Status& status);

  // From here on it is tried to reach it.
  explicit Reachability(int64_t now_ms) : since_ms_(now_ms) {}

  // The stream has brought something.
  void Heard();
  // The stream, or an attempt to have one, has ended.
  void Ended(const grpc::Status& status, int64_t now_ms);

  // The stream that stands has brought something.
  bool heard() const { return heard_; }
  // Neither a stream nor a new one can be had.
  bool lost() const { return lost_; }
  // True once for each time that it cannot be reached, if people are to be told now: not before kPatienceMs,
  // because a server that ends as it should is refused too, until the store or the directory says that it has
  // left.
  bool MayTell(int64_t now_ms);

 private:
  bool heard_ = false;
  bool ever_ = false;
  bool lost_ = false;
  bool told_ = false;
  int attempts_ = 0;  // That have failed,
  int64_t since_ms_;  // since then.
};

}  // namespace hubbub::rpc
