#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <utility>

#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "services/base/mutex.h"

namespace hubbub::rpc {

// Keeps one server-streaming call open: opens it, hands over what arrives, and when it ends opens it again,
// with jittered backoff from 50 ms to half a second that starts again after each message. Thread-safe. The
// callbacks run on gRPC's threads, one at a time, must not block, and must not call Stop. Destroying it stops
// it. What several ends in a row say of the server, Reachability knows.
template <typename Request, typename Response>
class StreamKeeper {
 public:
  struct Callbacks {
    // Starts the call: the stub's method.
    std::function<void(grpc::ClientContext*, const Request*, grpc::ClientReadReactor<Response>*)> open;
    // The request of the next attempt.
    std::function<Request()> request;
    std::function<void(Response&)> on_message;
    // Of a call that Stop did not end.
    std::function<void(const grpc::Status&)> on_end;
  };

  explicit StreamKeeper(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}
  ~StreamKeeper() { Stop(); }
  StreamKeeper(const StreamKeeper&) = delete;
  StreamKeeper& operator=(const StreamKeeper&) = delete;

  void Start() {
    MutexLock lock(mu_);
    if (!stopping_ && attempt_ == nullptr && !waiting_) Open();
  }

  // Ends the call and waits until no callback runs any more.
  void Stop() {
    {
      MutexLock lock(mu_);
      if (!std::exchange(stopping_, true)) {
        if (attempt_ != nullptr) {
          attempt_->context.TryCancel();
        } else if (waiting_) {
          alarm_->Cancel();
        } else {
          stopped_->set_value();
        }
      }
    }
    ended_.wait();
  }

 private:
  struct Attempt final : grpc::ClientReadReactor<Response> {
    explicit Attempt(StreamKeeper& k) : keeper(k), request(k.callbacks_.request()) {}
    void OnReadDone(bool ok) override {
      if (!ok) return;
      keeper.OnMessage(response);
      this->StartRead(&response);
    }
    void OnDone(const grpc::Status& status) override { keeper.OnEnd(status); }
    StreamKeeper& keeper;
    grpc::ClientContext context;
    Request request;
    Response response;
  };

  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    attempt_ = new Attempt(*this);
    callbacks_.open(&attempt_->context, &attempt_->request, attempt_);
    attempt_->StartRead(&attempt_->response);
    attempt_->StartCall();
  }

  void OnMessage(Response& response) {
    {
      MutexLock lock(mu_);
      backoff_ms_ = kFirstBackoffMs;
      if (stopping_) return;
    }
    callbacks_.on_message(response);
  }

  void OnEnd(const grpc::Status& status) {
    bool stopping = false;
    {
      MutexLock lock(mu_);
      stopping = stopping_;
    }
    if (!stopping) callbacks_.on_end(status);
    const auto stopped = stopped_;  // The keeper may go as soon as it is set.
    {
      MutexLock lock(mu_);
      // Here and not before: until now Stop may cancel it.
      delete std::exchange(attempt_, nullptr);
      if (!stopping_) {
        waiting_ = true;
        const int wait_ms = std::uniform_int_distribution<int>(backoff_ms_ / 2, backoff_ms_)(random_);
        backoff_ms_ = std::min(2 * backoff_ms_, kMostBackoffMs);
        // A new one each time: the callback of the one before may still be about to return.
        alarm_ = std::make_unique<grpc::Alarm>();
        alarm_->Set(std::chrono::system_clock::now() + std::chrono::milliseconds(wait_ms),
                    [this](bool) { OnAlarm(); });
        return;
      }
    }
    stopped->set_value();
  }

  void OnAlarm() {
    const auto stopped = stopped_;
    {
      MutexLock lock(mu_);
      waiting_ = false;
      if (!stopping_) return Open();
    }
    stopped->set_value();
  }

  static constexpr int kFirstBackoffMs = 50;
  static constexpr int kMostBackoffMs = 500;

  const Callbacks callbacks_;
  Mutex mu_;
  Attempt* attempt_ ABSL_GUARDED_BY(mu_) = nullptr;
  bool waiting_ ABSL_GUARDED_BY(mu_) = false;  // For the alarm.
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int backoff_ms_ ABSL_GUARDED_BY(mu_) = kFirstBackoffMs;
  std::minstd_rand random_ ABSL_GUARDED_BY(mu_){std::random_device{}()};
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mu_);  // While waiting_, and until the next one.
  const std::shared_ptr<std::promise<void>> stopped_ = std::make_shared<std::promise<void>>();
  const std::shared_future<void> ended_ = stopped_->get_future().share();
};

}  // namespace hubbub::rpc
