#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "boost/asio/steady_timer.hpp"
#include "services/net/loop.h"

namespace hubbub::connector {

// Runs `then`, which may be move-only, on the loop after a while; never if the loop ends before.
template <typename Then>
void After(net::Loop& loop, std::chrono::milliseconds wait, Then then) {
  auto timer = std::make_shared<boost::asio::steady_timer>(loop.context(), wait);
  boost::asio::steady_timer& waiting = *timer;
  waiting.async_wait(
      [timer = std::move(timer), then = std::move(then)](boost::system::error_code error) mutable {
        if (!error) then();
      });
}

}  // namespace hubbub::connector
