#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::connector {

// One message of a line of sends. It shares its sends with the RoomSends that wait for their answers, so that
// no text is copied. Not thread-safe, and neither moved nor copied.
class SendMessage {
 public:
  SendMessage() = default;
  ~SendMessage();
  SendMessage(const SendMessage&) = delete;
  SendMessage& operator=(const SendMessage&) = delete;

  void Add(std::shared_ptr<const chat::v1::ChainedSend> send);
  void EndChain(uint64_t chain) { request_.add_ended_chains(chain); }

  // To be written while this lives.
  const chat::v1::SendStreamRequest& request() const { return request_; }

 private:
  std::vector<std::shared_ptr<const chat::v1::ChainedSend>> sends_;
  chat::v1::SendStreamRequest request_;  // Its sends are those of `sends_`, and not its own.
};

// What waits to leave on a line of sends, in messages of a bounded size. Not thread-safe. Owned by the line's
// call.
class SendQueue {
 public:
  // `send` does not change any more.
  void Add(std::shared_ptr<const chat::v1::ChainedSend> send);
  // No more sends of this chain will come.
  void EndChain(uint64_t chain);

  // The oldest message; null if nothing waits.
  std::unique_ptr<const SendMessage> Take();

 private:
  // A message larger than this holds one send alone; far below what a chat server takes.
  static constexpr size_t kMostBytes = size_t{256} * 1024;
  static constexpr size_t kSendBytes = 256;  // Besides its content.

  void StartMessage();

  std::deque<std::unique_ptr<SendMessage>> waiting_;
  size_t last_bytes_ = 0;  // About the size of the last of them.
};

}  // namespace hubbub::connector
