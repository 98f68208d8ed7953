#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/dialect.h"

namespace hubbub::bench {

// Socket.IO 5 over Engine.IO 4 (the protocols' documents), as clients of version 4 speak it by WebSocket: an
// application with the events enter and send, each with an acknowledgement, and onChat.
class SocketIoDialect final : public Dialect {
 public:
  SocketIoDialect(std::string user, std::string room) : user_(std::move(user)), room_(std::move(room)) {}

  std::string_view target() const override { return "/socket.io/?EIO=4&transport=websocket"; }
  std::string Hello() override { return {}; }
  Heard Hear(std::string_view& text, std::string& reply) override;
  std::string Say(std::string_view text) override;

 private:
  static constexpr uint64_t kEnterId = 0;

  Heard OnAcknowledgement(std::string_view body);

  const std::string user_;
  const std::string room_;
  uint64_t last_id_ = kEnterId;
};

}  // namespace hubbub::bench
