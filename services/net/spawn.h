#pragma once

#include <exception>
#include <utility>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "services/net/loop.h"

namespace hubbub::net {

// Runs a coroutine on this loop, which is the caller's: at once up to its first wait, then whenever what it
// waits for has come. Nobody waits for its end. When the loop ends before, the coroutine is destroyed where
// it waits. So it keeps what it uses alive itself, or checks after each wait that it is still there.
inline void Spawn(Loop& loop, boost::asio::awaitable<void> coroutine) {
  // An exception leaves the loop as that of any other handler does.
  boost::asio::co_spawn(loop.executor(), std::move(coroutine), [](const std::exception_ptr& error) {
    if (error != nullptr) std::rethrow_exception(error);
  });
}

}  // namespace hubbub::net
