#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/post.hpp"

namespace hubbub::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;

// One event loop: an io_context and the one thread that runs it. Whatever is bound to a loop is touched on
// its thread alone, so it needs no lock; Post is the only way in from elsewhere, and carries values.
// AssertHere checks the rule at run time. A loop is a capability too: members that are GUARDED_BY their loop
// are checked by clang's -Wthread-safety. Owned by Loops; outlives all that is bound to it.
class ABSL_LOCKABLE Loop {
 public:
  explicit Loop(int index);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The loop's place among its Loops, from 0.
  int index() const { return index_; }
  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }

  // Runs `function` on this loop, after what was posted before. Thread-safe.
  template <typename Function>
  void Post(Function&& function) {
    asio::post(context_, std::forward<Function>(function));
  }

  bool IsHere() const { return std::this_thread::get_id() == thread_.get_id(); }
  void AssertHere() const ABSL_ASSERT_EXCLUSIVE_LOCK();

  // Says that a Post will come from elsewhere, such as the answer to a call: Stop waits for its Release.
  // Thread-safe.
  void Hold() { ++holds_; }
  void Release() { --holds_; }

  // Waits for the holds, then ends the thread. Handlers that have not run are destroyed with the loop,
  // without running.
  void Stop();

 private:
  const int index_;
  std::atomic<int> holds_{0};
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_{context_.get_executor()};
  std::thread thread_;
};

// The loops of a process. Constant after construction.
class Loops {
 public:
  // `count` loops; 0 means half as many as cores that this process may use (services/base/cores.h), and
  // one at least: gRPC's threads and the other servers of a machine need the rest.
  explicit Loops(int count);
  ~Loops() { Stop(); }

  int size() const { return static_cast<int>(loops_.size()); }
  Loop& at(int index) { return *loops_[static_cast<size_t>(index)]; }
  void Stop();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace hubbub::net
