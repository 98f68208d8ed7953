#pragma once

#include <memory>

namespace hubbub::rpc {

// Keeps gRPC from running its callbacks on more threads than half of the cores that this process may use, and
// one at least. gRPC makes 2 to 16 of them, for half of the machine's cores, and has no setting for that.
// They hand the part of waiting for the network to each other with every event: on two cores a message cost
// 40 % more with two of them than with one (bench/README.md). So the surplus is given a callback that ends
// with this object. Made and owned by main, before any server; ends after the last.
class CallbackThreads {
 public:
  CallbackThreads();
  // Keeps just `wanted`.
  explicit CallbackThreads(int wanted);
  ~CallbackThreads();
  CallbackThreads(const CallbackThreads&) = delete;
  CallbackThreads& operator=(const CallbackThreads&) = delete;

  // How many gRPC makes here.
  static int Made();

 private:
  struct Parked;
  const std::unique_ptr<Parked> parked_;
};

}  // namespace hubbub::rpc
