#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::connector {

// Who waits for the answers to sends.
class SendSink {
 public:
  virtual ~SendSink() = default;
  // In the order of the sends. `certain`: the chat server said so itself; an error means that nothing has
  // happened. Otherwise the line broke, and nobody knows.
  virtual void OnAnswer(const absl::Status& status, const chat::v1::SendResponse& response, bool certain) = 0;
};

// Takes sends to one chat server, in order, without waiting for the answers. Loop-only.
class SendLine {
 public:
  virtual ~SendLine() = default;
  // The sink is told of the answer later, never at once.
  virtual void Send(const chat::v1::ChainedSend& send, std::shared_ptr<SendSink> sink) = 0;
  // No more will come of a chain that was broken.
  virtual void EndChain(uint64_t chain) = 0;
};

}  // namespace hubbub::connector
