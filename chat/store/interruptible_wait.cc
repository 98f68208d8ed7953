#include "chat/store/interruptible_wait.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace hubbub::chat {

InterruptibleWait::InterruptibleWait() : interruption_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

InterruptibleWait::~InterruptibleWait() {
  if (interruption_ >= 0) close(interruption_);
}

void InterruptibleWait::Interrupt() {
  const uint64_t one = 1;
  // It fails only where the counter is full, and then it is readable.
  [[maybe_unused]] const ssize_t written = write(interruption_, &one, sizeof(one));
}

bool InterruptibleWait::interrupted() const {
  pollfd wanted{.fd = interruption_, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, 0) > 0;
}

InterruptibleWait::Event InterruptibleWait::For(int socket, short events, Clock::time_point deadline) const {
  std::array<pollfd, 2> wanted{pollfd{.fd = interruption_, .events = POLLIN, .revents = 0},
                               pollfd{.fd = socket, .events = events, .revents = 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready =
        poll(wanted.data(), wanted.size(), static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (wanted[0].revents != 0) return Event::kInterrupted;
    if (ready != 0) return Event::kReady;
    if (Clock::now() >= deadline) return Event::kTimeout;
  }
}

}  // namespace hubbub::chat
