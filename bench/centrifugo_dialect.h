#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/dialect.h"

namespace hubbub::bench {

// Centrifugo's client protocol, JSON over WebSocket (its documents on the client protocol): connect,
// subscribe to the room's channel, publish.
class CentrifugoDialect final : public Dialect {
 public:
  CentrifugoDialect(std::string user, std::string room) : user_(std::move(user)), room_(std::move(room)) {}

  std::string_view target() const override { return "/connection/websocket"; }
  std::string Hello() override;
  Heard Hear(std::string_view& text, std::string& reply) override;
  std::string Say(std::string_view text) override;

 private:
  // Of commands, in the order in which they are made.
  static constexpr uint64_t kConnectId = 1;
  static constexpr uint64_t kSubscribeId = 2;

  Heard OnReply(std::string_view body, std::string& reply) const;

  const std::string user_;
  const std::string room_;
  uint64_t last_id_ = kSubscribeId;
};

}  // namespace hubbub::bench
