#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/usage.h"

namespace hubbub::bench {

// An address of this machine's loopback; nothing else is ever loaded.
struct Endpoint {
  uint32_t ip = 0;  // Host byte order; 127.0.0.0/8.
  uint16_t port = 0;
};
// From a dotted address or "localhost". The error says what is wrong, and that only loopback will do.
absl::StatusOr<Endpoint> LoopbackEndpoint(const std::string& host, int64_t port);
std::string ToString(const Endpoint& endpoint);

// What clients speak.
enum class Protocol {
  kPomelo,    // By way of a gate.
  kSocketIo,  // The next two come to servers in turn.
  kCentrifugo,
};

struct Options {
  std::string scenario;
  Protocol protocol = Protocol::kPomelo;
  std::vector<Endpoint> entries;  // The gates, or the servers.
  std::string client = "js-websocket";
  int clients = 300;
  int rooms = 10;
  int senders = 3;  // In each room.
  int window = 0;   // Closed loop: sends of one sender at a time. 0: open loop.
  double rate = 0;  // Open loop: sends a second in all. 0 with window 0: nobody sends.
  int text_bytes = 64;
  double warmup_s = 2;
  double seconds = 10;
  double drain_s = 20;
  double connect_s = 120;
  int connecting = 64;
  std::vector<Server> servers;
  std::string label;  // Names the system in the result.
  std::string json;   // The file for the result; empty: none.
  bool quiet = false;
};

// From the command line, without the program's name. The error is the one sentence to print.
// FAILED_PRECONDITION: --help was asked for, and the message is its text.
absl::StatusOr<Options> ParseOptions(std::span<const char* const> args);

}  // namespace hubbub::bench
