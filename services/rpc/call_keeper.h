#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "boost/asio/steady_timer.hpp"
#include "services/http2/call.h"
#include "services/net/loop.h"

namespace hubbub::rpc {

// Keeps one call open in which the server alone goes on talking, as StreamKeeper does, but on a loop: opens
// it, hands over what arrives, and when it ends opens it again, with jittered backoff from 50 ms to half a
// second that starts again after each message. Loop-only, as its callbacks are, which must not call it. It
// must be stopped before it goes.
class CallKeeper {
 public:
  struct Callbacks {
    std::string method;
    http2::OpenCall open;
    // The request of the next attempt (http2::FrameMessage).
    std::function<std::string()> request;
    // False if the message cannot be read: the call ends then.
    std::function<bool(std::string_view message)> on_message;
    std::function<void(const absl::Status&)> on_end;
  };

  CallKeeper(net::Loop& loop, Callbacks callbacks);

  void Start();
  // Nothing is called any more.
  void Stop();

 private:
  static constexpr int kFirstBackoffMs = 50;
  static constexpr int kMostBackoffMs = 500;

  void Open();
  void OnMessage(std::string_view message);
  void OnEnd(const absl::Status& status);

  net::Loop& loop_;
  const Callbacks callbacks_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<http2::Call> call_;  // Null while there is none.
  // Of the call, or of the pause before the next one; what an older one brings is not heard.
  std::shared_ptr<const int> attempt_;
  int backoff_ms_ = kFirstBackoffMs;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace hubbub::rpc
