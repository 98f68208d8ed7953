#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/connection.h"
#include "bench/options.h"
#include "bench/terms.h"

namespace hubbub::bench {

class Client;

// What all clients share, and whom they tell. Owned by the load; outlives them.
class Audience {
 public:
  virtual void OnEntered(Client& client) = 0;
  // The answer to a send. An error if it says so.
  virtual void OnAnswer(Client& client, const absl::Status& status) = 0;
  virtual void OnDelivery(Client& client, std::string_view body) = 0;
  virtual void OnRead() = 0;

  // What these bytes of a handshake settle. Servers say the same to all, so that the last one is kept.
  virtual absl::StatusOr<std::shared_ptr<const Terms>> TermsOf(std::string_view answer) = 0;

  int epoll = -1;
  Endpoint gate;
  std::string handshake;  // The package that opens each connection.
  std::string run;        // Makes this run's names differ from another's.
  std::span<char> scratch;

 protected:
  ~Audience() = default;
};

// One user: asks the gate for its connector, connects to it, enters its room, sends and hears.
// Thread-compatible.
class Client final : private Connection::Handler {
 public:
  Client(int number, int room, Audience& audience);

  int number() const { return number_; }
  absl::Status Start();
  absl::Status OnReady(uint32_t events);
  bool entered() const { return state_ == State::kEntered; }
  int64_t heartbeat_ns() const { return terms_ ? terms_->heartbeat_ns() : 0; }

  // REQUIRES: entered(). They queue; Flush sends.
  void Send(std::string_view text);
  void SendHeartbeat();
  absl::Status Flush() { return connection_.Flush(); }
  void Stop() { connection_.Close(); }

 private:
  // The gate's steps, then the connector's.
  enum class State { kAskingGate, kEntering, kEntered };

  void OnOpen() override;
  void OnRead() override { audience_.OnRead(); }
  bool OnPackage(const pomelo::Package& package) override;
  bool OnHandshake(std::string_view body);
  bool OnMessage(std::string_view bytes);
  void OnGateAnswer(std::string_view body);
  bool Fail(absl::Status status);
  absl::Status Connect(const Endpoint& server);
  void Request(std::string_view route, Terms::Fields fields);

  const int number_;
  Audience& audience_;
  const std::string user_;
  const std::string room_;
  State state_ = State::kAskingGate;
  Connection connection_;
  std::shared_ptr<const Terms> terms_;
  uint64_t next_id_ = 1;
  Endpoint connector_;
  absl::Status status_;
};

}  // namespace hubbub::bench
