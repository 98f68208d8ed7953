#pragma once

#include <utility>

#include "absl/functional/any_invocable.h"
#include "services/net/http_response.h"

namespace hubbub::net {

// The duty to answer one HTTP request, once. If it is destroyed before that, the client gets status 500. It
// may be kept for as long as it takes, moved, and used on any thread; if the client has gone, the answer is
// dropped. Move-only; thread-compatible. Must not outlive the loops of its listener.
class HttpReply {
 public:
  // `answer` is called once.
  using Answer = absl::AnyInvocable<void(HttpResponse)>;

  explicit HttpReply(Answer answer) : answer_(std::move(answer)) {}
  HttpReply(HttpReply&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}
  HttpReply& operator=(HttpReply&&) = delete;
  ~HttpReply() {
    if (answer_) Send(InternalError());
  }

  // Not for a reply that was sent or moved from.
  void Send(HttpResponse response) { std::exchange(answer_, nullptr)(std::move(response)); }

 private:
  Answer answer_;
};

}  // namespace hubbub::net
