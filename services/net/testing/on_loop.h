#pragma once

#include <future>

#include "services/net/loop.h"

namespace hubbub::net {

// Runs `function` on the loop and waits for it: how tests touch what belongs to a loop. Not on that loop.
template <typename Function>
void OnLoop(Loop& loop, Function&& function) {
  std::promise<void> done;
  loop.Post([&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace hubbub::net
