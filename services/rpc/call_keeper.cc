#include "services/rpc/call_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace hubbub::rpc {

CallKeeper::CallKeeper(net::Loop& loop, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)), pause_(loop.context()) {}

void CallKeeper::Start() {
  loop_.AssertHere();
  if (attempt_ == nullptr) Open();
}

void CallKeeper::Stop() {
  loop_.AssertHere();
  attempt_ = nullptr;
  pause_.cancel();
  if (call_ != nullptr) std::exchange(call_, nullptr)->Cancel();
}

void CallKeeper::Open() {
  attempt_ = std::make_shared<const int>(0);
  // It outlives no Stop: then the attempt is gone.
  const std::weak_ptr<const int> attempt = attempt_;
  call_ = callbacks_.open({.method = callbacks_.method}, {.on_message =
                                                              [this, attempt](std::string_view message) {
                                                                if (!attempt.expired()) OnMessage(message);
                                                              },
                                                          .on_end =
                                                              [this, attempt](const absl::Status& status) {
                                                                if (!attempt.expired()) OnEnd(status);
                                                              }});
  call_->Write(callbacks_.request());
  call_->EndWrites();
}

void CallKeeper::OnMessage(std::string_view message) {
  backoff_ms_ = kFirstBackoffMs;
  if (callbacks_.on_message(message)) return;
  call_->Cancel();
  OnEnd(absl::InternalError("a message of the server cannot be read"));
}

void CallKeeper::OnEnd(const absl::Status& status) {
  call_ = nullptr;
  attempt_ = std::make_shared<const int>(0);
  callbacks_.on_end(status);
  const int wait_ms = std::uniform_int_distribution<int>(backoff_ms_ / 2, backoff_ms_)(random_);
  backoff_ms_ = std::min(2 * backoff_ms_, kMostBackoffMs);
  pause_.expires_after(std::chrono::milliseconds(wait_ms));
  pause_.async_wait([this, attempt = std::weak_ptr(attempt_)](boost::system::error_code) {
    if (!attempt.expired()) Open();
  });
}

}  // namespace hubbub::rpc
