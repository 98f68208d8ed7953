#pragma once

#include <memory>

namespace hubbub::rpc {

// Keeps gRPC from running its callbacks on more threads than half of the cores that this process may use
// (services/cores.h), and one at least. gRPC makes 2 to 16 of them, for half of the machine's cores, and has
// no setting for that. They hand the part of waiting for the network to
// each other with every event: on two cores a message cost 40 % more with two of them than with one
// (bench/README.md). So the surplus is given a callback that ends with this object.
//
// A thread of gRPC that has had nothing to do for a second sleeps for a tenth of one, and then nobody hears
// of what comes. So this has a thread of its own, which gives gRPC something to do in time.
//
// Made and owned by main, before any server; ends after the last.
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
  // How many have been taken away from it: none if it made fewer than expected, which is logged.
  int parked() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace hubbub::rpc
