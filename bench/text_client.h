#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "bench/client.h"
#include "bench/dialect.h"

namespace hubbub::bench {

// A client of a protocol whose frames are text: connects to one of the servers, and says what its dialect
// says.
class TextClient final : public Client {
 public:
  TextClient(int number, int room, Audience& audience, Protocol protocol);

  absl::Status Start() override;
  bool entered() const override { return entered_; }
  // Servers ask when they want to know.
  int64_t heartbeat_ns() const override { return 0; }
  void Send(std::string_view text) override { connection_.Queue(dialect_->Say(text)); }
  void SendHeartbeat() override {}

 private:
  void OnOpen() override;
  bool OnPackage(const pomelo::Package& package) override;

  const std::unique_ptr<Dialect> dialect_;
  bool entered_ = false;
};

}  // namespace hubbub::bench
