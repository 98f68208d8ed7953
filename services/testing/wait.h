#pragma once

#include <chrono>
#include <thread>

namespace hubbub::testing {

// True as soon as `condition` is; false if it is not within 20 seconds. For what another thread does.
template <typename Condition>
bool WaitUntil(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace hubbub::testing
