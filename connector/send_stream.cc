#include "connector/send_stream.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "connector/pause.h"
#include "grpcpp/client_context.h"
#include "services/mutex.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::connector {

using chat::v1::SendStreamRequest;
using chat::v1::SendStreamResponse;

// One gRPC call. Keeps itself until its end. At most one write is in flight.
class SendStream::Call final : public Reactor {
 public:
  explicit Call(std::shared_ptr<SendStream> stream) : stream_(std::move(stream)) {}

  void Start(const std::shared_ptr<Call>& self) {
    self_ = self;
    stream_->loop_.Hold();
    stream_->open_(&context_, this);
    AddHold();  // Writes come from the loop.
    StartRead(&response_);
    StartCall();
  }
  void Add(const chat::v1::ChainedSend& send) {
    MutexLock lock(mu_);
    const size_t bytes = send.send().content().size() + kSendBytes;
    if (waiting_.empty() || last_bytes_ + bytes > kMostBytes) {
      waiting_.emplace_back();
      last_bytes_ = 0;
    }
    last_bytes_ += bytes;
    *waiting_.back().add_sends() = send;
  }
  void EndChain(uint64_t chain) {
    MutexLock lock(mu_);
    if (waiting_.empty()) {
      waiting_.emplace_back();
      last_bytes_ = 0;
    }
    waiting_.back().add_ended_chains(chain);
  }
  void Flush() {
    MutexLock lock(mu_);
    FlushLocked();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  // A message larger than this holds one send alone; far below what a chat server takes.
  static constexpr size_t kMostBytes = size_t{256} * 1024;
  static constexpr size_t kSendBytes = 256;  // Besides its content.

  void FlushLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || ended_ || waiting_.empty()) return;
    leaving_ = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    StartWrite(&leaving_);
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    writing_ = false;
    if (ok) FlushLocked();
  }
  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(mu_);
        ended_ = true;
      }
      return RemoveHold();
    }
    auto answers = std::make_unique<SendStreamResponse>();
    answers->Swap(&response_);
    stream_->loop_.Post(
        [self = self_, answers = std::move(answers)] { self->stream_->OnAnswers(*self, *answers); });
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    net::Loop& loop = stream_->loop_;
    loop.Post([self = std::move(self_), status = FromGrpc(status)] {
      self->stream_->OnEnd(*self, status);
      self->stream_->loop_.Release();
    });
  }

  const std::shared_ptr<SendStream> stream_;
  std::shared_ptr<Call> self_;
  grpc::ClientContext context_;
  SendStreamResponse response_;
  Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<SendStreamRequest> waiting_ ABSL_GUARDED_BY(mu_);
  size_t last_bytes_ ABSL_GUARDED_BY(mu_) = 0;  // Of the last one, nearly.
  SendStreamRequest leaving_;                   // gRPC's while `writing_`.
};

void SendStream::Send(const chat::v1::ChainedSend& send, std::shared_ptr<SendSink> sink) {
  loop_.AssertHere();
  if (closed_) {
    return loop_.Post([sink = std::move(sink)] {
      sink->OnAnswer(absl::UnavailableError("the chat server has left"), {}, /*certain=*/true);
    });
  }
  if (call_ == nullptr) {
    call_ = std::make_shared<Call>(shared_from_this());
    call_->Start(call_);
  }
  call_->Add(send);
  waiting_.push_back({std::move(sink), net::Clock::now()});
  FlushSoon();
  if (!std::exchange(watching_, true)) Watch();
}

void SendStream::EndChain(uint64_t chain) {
  loop_.AssertHere();
  // A call that has ended has taken its chains with it.
  if (call_ == nullptr) return;
  call_->EndChain(chain);
  FlushSoon();
}

void SendStream::FlushSoon() {
  if (std::exchange(flush_is_due_, true)) return;
  loop_.Post([self = shared_from_this()] {
    self->flush_is_due_ = false;
    if (self->call_ != nullptr) self->call_->Flush();
  });
}

void SendStream::Watch() {
  After(loop_, kLookEvery, [self = shared_from_this()] {
    if (self->waiting_.empty()) {
      self->watching_ = false;
      return;
    }
    if (self->call_ != nullptr && net::Clock::now() - self->waiting_.front().since > kLongestWait)
      self->call_->Cancel();
    self->Watch();
  });
}

void SendStream::OnAnswers(const Call& call, const SendStreamResponse& answers) {
  loop_.AssertHere();
  if (&call != call_.get()) return;
  for (const chat::v1::SendAnswer& answer : answers.answers()) {
    if (waiting_.empty()) return call_->Cancel();  // No chat server does that.
    const std::shared_ptr<SendSink> sink = std::move(waiting_.front().sink);
    waiting_.pop_front();
    sink->OnAnswer({static_cast<absl::StatusCode>(answer.code()), answer.message()}, answer.response(),
                   /*certain=*/true);
  }
}

void SendStream::OnEnd(const Call& call, const absl::Status& status) {
  loop_.AssertHere();
  if (&call != call_.get()) return;
  call_ = nullptr;
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  const absl::Status why = status.ok() ? absl::UnavailableError("the chat server ended the stream") : status;
  for (const Waiting& one : waiting) one.sink->OnAnswer(why, {}, /*certain=*/false);
}

void SendStream::Close() {
  loop_.Hold();
  loop_.Post([self = shared_from_this()] {
    self->closed_ = true;
    if (self->call_ != nullptr) self->call_->Cancel();
    self->loop_.Release();
  });
}

}  // namespace hubbub::connector
