#include "connector/chat_servers/send_stream.h"

#include <utility>

#include "connector/chat_servers/room_sends.h"
#include "services/http2/message_framing.h"

namespace hubbub::connector {

void SendStream::Open() {
  queue_ = std::make_unique<SendQueue>();
  writing_ = false;
  const auto self = shared_from_this();
  call_ = open_({.method = "/hubbub.chat.v1.ChatService/SendStream"},
                {.on_message = [self](std::string_view message) { self->OnAnswers(message); },
                 .on_written =
                     [self] {
                       self->writing_ = false;
                       self->Flush();
                     },
                 .on_end = [self](const absl::Status& status) { self->OnEnd(status); }});
}

void SendStream::Send(std::shared_ptr<chat::v1::ChainedSend> send, std::shared_ptr<RoomSends> sends) {
  loop_.AssertHere();
  if (closed_) {
    return loop_.Post([sends = std::move(sends)] {
      sends->OnAnswer(absl::UnavailableError("the chat server has left"), {}, /*certain=*/true);
    });
  }
  if (call_ == nullptr) Open();
  send->set_number(first_number_ + waiting_.size());
  queue_->Add(std::move(send));
  waiting_.push_back({std::move(sends), net::Clock::now()});
  FlushSoon();
  if (!std::exchange(watching_, true)) Watch();
}

void SendStream::EndChain(uint64_t chain) {
  loop_.AssertHere();
  // The chat server forgets chains at the end of their call.
  if (call_ == nullptr) return;
  queue_->EndChain(chain);
  FlushSoon();
}

void SendStream::FlushSoon() {
  if (std::exchange(flush_is_due_, true)) return;
  loop_.Post([self = shared_from_this()] {
    self->flush_is_due_ = false;
    self->Flush();
  });
}

void SendStream::Flush() {
  if (call_ == nullptr || writing_) return;
  const std::unique_ptr<const SendMessage> message = queue_->Take();
  if (message == nullptr) return;
  writing_ = true;
  call_->Write(http2::FrameMessage(message->request()));
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

void SendStream::OnAnswers(std::string_view message) {
  loop_.AssertHere();
  chat::v1::SendStreamResponse answers;
  // Either is a mistake of the chat server.
  if (!answers.ParseFromArray(message.data(), static_cast<int>(message.size()))) return call_->Cancel();
  for (const chat::v1::SendAnswer& answer : answers.answers()) {
    const std::shared_ptr<RoomSends> sends = TakeWaiting(answer.number());
    if (sends == nullptr) return call_->Cancel();
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

void SendStream::OnEnd(const absl::Status& status) {
  loop_.AssertHere();
  call_ = nullptr;
  queue_ = nullptr;
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
