#pragma once

#include <chrono>
#include <functional>

namespace hubbub {

// Polls until `done` or until `timeout` is over; answers the last `done`. For start-up and shutdown alone.
bool WaitUntil(const std::function<bool()>& done, std::chrono::milliseconds timeout);

}  // namespace hubbub
