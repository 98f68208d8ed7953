#pragma once

#include <memory>

namespace hubbub::rpc {

// Keeps gRPC from running its callbacks on more threads than half of the cores that this process may use
// (services/base/cores.h), and one at least. gRPC makes 2 to 16 of them, for half of the machine's cores,
// and has no setting for that. On every event they pass the role of poller to one another: on two cores a
// message cost 40 % more with two of them than with one (bench/README.md). So each surplus thread is given a
// callback that ends with this object.
//
// A polling thread of gRPC that had no event for a second sleeps for a tenth of one, and events wait until it
// wakes up. So this object has a thread that makes an empty call every 700 ms.
//
// This rests on how gRPC 1.51 runs callbacks. With another version, which a build reports, the object does
// nothing.
//
// Made before any server, and destroyed after the last.
class CallbackThreads {
 public:
  CallbackThreads();
  // Keeps `wanted` of them, and one at least.
  explicit CallbackThreads(int wanted);
  ~CallbackThreads();
  CallbackThreads(const CallbackThreads&) = delete;
  CallbackThreads& operator=(const CallbackThreads&) = delete;

  // True if this version of gRPC is the one whose threads the object knows.
  static bool Supported();
  // How many threads gRPC makes on this machine.
  static int Made();
  // How many of them this object keeps busy: none if gRPC made fewer than Made(), which is logged.
  int parked() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace hubbub::rpc
