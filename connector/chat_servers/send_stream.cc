#include "connector/chat_servers/send_stream.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "connector/chat_servers/room_sends.h"
#include "connector/chat_servers/send_queue.h"
#include "grpcpp/client_context.h"
#include "services/base/mutex.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::connector {

using chat::v1::SendStreamResponse;

// One gRPC call, which owns itself until its end. At most one write is in flight.
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
  void Add(std::shared_ptr<const chat::v1::ChainedSend> send) {
    MutexLock lock(mu_);
    waiting_.Add(std::move(send));
  }
  void EndChain(uint64_t chain) {
    MutexLock lock(mu_);
    waiting_.EndChain(chain);
  }
  void Flush() {
    MutexLock lock(mu_);
    FlushLocked();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  void FlushLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (leaving_ != nullptr || ended_) return;
    leaving_ = waiting_.Take();
    if (leaving_ != nullptr) StartWrite(&leaving_->request());
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(mu_);
    leaving_ = nullptr;
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
    loop.Post([self = std::move(self_), status = rpc::FromGrpc(status)] {
      self->stream_->OnEnd(*self, status);
      self->stream_->loop_.Release();
    });
  }

  const std::shared_ptr<SendStream> stream_;
  std::shared_ptr<Call> self_;
  grpc::ClientContext context_;
  SendStreamResponse response_;
  Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  SendQueue waiting_ ABSL_GUARDED_BY(mu_);
  // Read by gRPC until OnWriteDone; null while no write is in flight.
  std::unique_ptr<const SendMessage> leaving_ ABSL_GUARDED_BY(mu_);
};

void SendStream::Send(std::shared_ptr<chat::v1::ChainedSend> send, std::shared_ptr<RoomSends> sends) {
  loop_.AssertHere();
  if (closed_) {
    return loop_.Post([sends = std::move(sends)] {
      sends->OnAnswer(absl::UnavailableError("the chat server has left"), {}, /*certain=*/true);
    });
  }
  if (call_ == nullptr) {
    call_ = std::make_shared<Call>(shared_from_this());
    call_->Start(call_);
  }
  send->set_number(first_number_ + waiting_.size());
  call_->Add(std::move(send));
  waiting_.push_back({std::move(sends), net::Clock::now()});
  FlushSoon();
  if (!std::exchange(watching_, true)) Watch();
}

void SendStream::EndChain(uint64_t chain) {
  loop_.AssertHere();
  // The chat server forgets chains at the end of their call.
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
  next_look_.expires_after(kLookEvery);
  next_look_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error) return;
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
    const std::shared_ptr<RoomSends> sends = TakeWaiting(answer.number());
    if (sends == nullptr) return call_->Cancel();  // A mistake of the chat server.
    sends->OnAnswer({static_cast<absl::StatusCode>(answer.code()), answer.message()}, answer.response(),
                    /*certain=*/true);
  }
}

std::shared_ptr<RoomSends> SendStream::TakeWaiting(uint64_t number) {
  // A chat server of before numbers answers everything in order, without a number.
  const uint64_t index = number == 0 ? 0 : number - first_number_;
  if (index >= waiting_.size()) return nullptr;
  std::shared_ptr<RoomSends> sends = std::move(waiting_[index].sends);
  for (; !waiting_.empty() && waiting_.front().sends == nullptr; ++first_number_) waiting_.pop_front();
  return sends;
}

void SendStream::OnEnd(const Call& call, const absl::Status& status) {
  loop_.AssertHere();
  if (&call != call_.get()) return;
  call_ = nullptr;
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  first_number_ += waiting.size();
  const absl::Status why = status.ok() ? absl::UnavailableError("the chat server ended the stream") : status;
  for (const Waiting& one : waiting) {
    if (one.sends != nullptr) one.sends->OnAnswer(why, {}, /*certain=*/false);
  }
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
