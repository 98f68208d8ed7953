#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hubbub::net {

// What a payload that waits takes beside its bytes: the block that glibc gives for the string's own fields
// and its count of owners (64), and the pointer in the queue (16). It counts for each client whose queue has
// the payload, or a client could have the server keep far more than the bounds say, in payloads of a byte or
// two.
inline constexpr size_t kPayloadCost = 80;

// A client that bytes may wait for.
class WaitingClient {
 public:
  // With kPayloadCost for each payload.
  virtual size_t waiting_bytes() const = 0;
  // Ends it at once as slow. It takes its bytes back (Waiting::Change).
  virtual void EndAsSlow(std::string detail) = 0;

 protected:
  ~WaitingClient() = default;
};

// The clients of a loop that come one way, by sockets or by polls.
class WaitingClients {
 public:
  virtual std::vector<std::shared_ptr<WaitingClient>> AllWaiting() = 0;

 protected:
  ~WaitingClients() = default;
};

// The bytes that wait for the clients of one loop, however they come, and their bound. Used on that loop
// alone, but for its making. Shared by all that have clients there.
class Waiting {
 public:
  explicit Waiting(size_t most) : most_(most) {}

  void Add(std::weak_ptr<WaitingClients> clients) { all_.push_back(std::move(clients)); }
  // So many bytes wait for a client, instead of `before`. If that makes too many over all clients, those with
  // most of them are ended, until an eighth is free.
  void Change(size_t before, size_t now);
  size_t bytes() const { return bytes_; }

 private:
  void EndTheSlowest();

  const size_t most_;
  size_t bytes_ = 0;
  std::vector<std::weak_ptr<WaitingClients>> all_;
};

// By Loop::index. `most`: over all loops, each of which has its part.
using WaitingByLoop = std::vector<std::shared_ptr<Waiting>>;
WaitingByLoop BoundWaiting(int loops, size_t most);

}  // namespace hubbub::net
