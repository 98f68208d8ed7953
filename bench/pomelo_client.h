#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "bench/client.h"
#include "bench/terms.h"

namespace hubbub::bench {

// A client of Pomelo's protocol: asks the gate for its connector, connects to it, and enters its room.
class PomeloClient final : public Client {
 public:
  using Client::Client;

  absl::Status Start() override;
  absl::Status OnReady(uint32_t events) override;
  bool entered() const override { return state_ == State::kEntered; }
  int64_t heartbeat_ns() const override { return terms_ ? terms_->heartbeat_ns() : 0; }
  void Send(std::string_view text) override;
  void SendHeartbeat() override;

 private:
  // The gate's steps, then the connector's.
  enum class State { kAskingGate, kEntering, kEntered };

  void OnOpen() override;
  bool OnPackage(const pomelo::Package& package) override;
  bool OnHandshake(std::string_view body);
  bool OnMessage(std::string_view bytes);
  void OnGateAnswer(std::string_view body);
  void Request(std::string_view route, Terms::Fields fields);

  State state_ = State::kAskingGate;
  std::shared_ptr<const Terms> terms_;
  uint64_t next_id_ = 1;
  Endpoint connector_;
};

}  // namespace hubbub::bench
