#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>

#include "connector/send_line.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "services/net/connection.h"
#include "services/net/loop.h"

namespace hubbub::connector {

// A loop's line of sends to one chat server: a ChatService.SendStream call that is opened when there is
// something to send and none stands. What is sent in one turn of the loop, or while a write is in flight,
// leaves together. A call that owes an answer for too long is cancelled, which breaks the line for all that
// wait. Loop-only, but for Close. Shared by its ChatLink, its loop's timers and its call.
class SendStream final : public SendLine, public std::enable_shared_from_this<SendStream> {
 public:
  using Reactor = grpc::ClientBidiReactor<chat::v1::SendStreamRequest, chat::v1::SendStreamResponse>;
  // Starts a call: the stub's method.
  using Open = std::function<void(grpc::ClientContext*, Reactor*)>;

  SendStream(net::Loop& loop, Open open) : loop_(loop), open_(std::move(open)) {}

  void Send(const chat::v1::ChainedSend& send, std::shared_ptr<SendSink> sink) override;
  void EndChain(uint64_t chain) override;
  // Breaks the line for good. Thread-safe.
  void Close();

 private:
  class Call;
  struct Waiting {
    std::shared_ptr<SendSink> sink;
    net::Clock::time_point since;
  };

  static constexpr std::chrono::milliseconds kLongestWait{2'000};
  static constexpr std::chrono::milliseconds kLookEvery{500};

  void FlushSoon();
  void Watch();
  void OnAnswers(const Call& call, const chat::v1::SendStreamResponse& answers);
  void OnEnd(const Call& call, const absl::Status& status);

  net::Loop& loop_;
  const Open open_;
  std::shared_ptr<Call> call_;   // Null while there is none.
  std::deque<Waiting> waiting_;  // For an answer of it.
  bool flush_is_due_ = false;
  bool watching_ = false;
  bool closed_ = false;
};

}  // namespace hubbub::connector
