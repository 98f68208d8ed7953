#include "connector/chat_servers/send_queue.h"

#include <utility>

namespace hubbub::connector {

using chat::v1::ChainedSend;

SendMessage::~SendMessage() {
  while (!request_.sends().empty()) (void)request_.mutable_sends()->UnsafeArenaReleaseLast();
}

void SendMessage::Add(std::shared_ptr<const ChainedSend> send) {
  // The list takes what may change, but what is written is only read.
  request_.mutable_sends()->UnsafeArenaAddAllocated(const_cast<ChainedSend*>(send.get()));
  sends_.push_back(std::move(send));
}

void SendQueue::Add(std::shared_ptr<const ChainedSend> send) {
  const size_t bytes = send->send().content().size() + kSendBytes;
  if (waiting_.empty() || last_bytes_ + bytes > kMostBytes) StartMessage();
  last_bytes_ += bytes;
  waiting_.back()->Add(std::move(send));
}

void SendQueue::EndChain(uint64_t chain) {
  if (waiting_.empty()) StartMessage();
  waiting_.back()->EndChain(chain);
}

void SendQueue::StartMessage() {
  waiting_.push_back(std::make_unique<SendMessage>());
  last_bytes_ = 0;
}

std::unique_ptr<const SendMessage> SendQueue::Take() {
  if (waiting_.empty()) return nullptr;
  std::unique_ptr<const SendMessage> first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

}  // namespace hubbub::connector
