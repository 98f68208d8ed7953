#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace hubbub::net {

// What the system knows of a TCP socket. Pure calls, thread-safe, one system call each.

struct SocketState {
  uint64_t taken_bytes = 0;     // That the client's machine has acknowledged, of all that was written.
  uint64_t received_bytes = 0;  // That have come, read or not.
  bool all_taken = true;        // Nothing that was written is without its acknowledgement.
  std::chrono::milliseconds since_answer{0};  // Since the client's machine last acknowledged anything.
};
// Nothing if the system does not tell (Linux before 4.6).
std::optional<SocketState> StateOf(int socket);

// True if bytes have come that were not read yet.
bool HasUnread(int socket);

// Has the system ask clients that are silent whether they are still there, and end the connection of one
// whose machine does not answer for about 90 seconds. Sockets that a listening one accepts inherit it.
void AskSilentClients(int socket);

}  // namespace hubbub::net
