#pragma once

#include <chrono>

namespace hubbub::chat {

// Waits for a socket, until a deadline or an interruption. Used by one thread but for Interrupt.
class InterruptibleWait {
 public:
  enum class Event { kReady, kTimeout, kInterrupted };
  using Clock = std::chrono::steady_clock;

  InterruptibleWait();
  ~InterruptibleWait();
  InterruptibleWait(const InterruptibleWait&) = delete;
  InterruptibleWait& operator=(const InterruptibleWait&) = delete;

  // Ends the wait that runs and all later ones. Thread-safe.
  void Interrupt();
  bool interrupted() const;

  // `events` as poll() has them; errors of the socket are kReady, so that its reader finds them.
  Event For(int socket, short events, Clock::time_point deadline) const;

 private:
  const int interruption_;  // An eventfd that becomes readable once and stays so.
};

}  // namespace hubbub::chat
