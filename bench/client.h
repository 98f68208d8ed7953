#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  std::vector<Endpoint> entries;  // Gates, or servers that clients come to in turn. Not empty.
  std::string handshake;          // The package that opens each connection of Pomelo.
  std::string run;                // Makes this run's names differ from another's.
  std::span<char> scratch;

 protected:
  ~Audience() = default;
};

// One user: comes into its room, sends and hears. Thread-compatible.
class Client : protected Connection::Handler {
 public:
  Client(int number, int room, Audience& audience);
  virtual ~Client() = default;

  int number() const { return number_; }
  // Begins to come in.
  virtual absl::Status Start() = 0;
  virtual absl::Status OnReady(uint32_t events);
  virtual bool entered() const = 0;
  // How often SendHeartbeat is to be called; 0: never.
  virtual int64_t heartbeat_ns() const = 0;

  // REQUIRES: entered(). They queue; Flush sends.
  virtual void Send(std::string_view text) = 0;
  virtual void SendHeartbeat() = 0;
  absl::Status Flush() { return connection_.Flush(); }
  void Stop() { connection_.Close(); }

 protected:
  absl::Status Connect(const Endpoint& server, const Connection::Opening& opening);
  // Ends the client with this error. False, for OnPackage.
  bool Fail(absl::Status status);
  void OnRead() override { audience_.OnRead(); }

  const int number_;
  Audience& audience_;
  const std::string user_;
  const std::string room_;
  Connection connection_;

 private:
  absl::Status status_;
};

}  // namespace hubbub::bench
