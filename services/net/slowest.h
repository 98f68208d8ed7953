#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace hubbub::net {

// Ends clients that have bytes to take, those with most of them first, until `enough()`; how many it ended.
// A client has waiting_bytes(), and `end` brings them to 0.
template <typename Client, typename Enough, typename End>
size_t EndTheSlowest(std::vector<std::shared_ptr<Client>> clients, Enough enough, End end) {
  std::erase_if(clients, [](const auto& client) { return client->waiting_bytes() == 0; });
  std::sort(clients.begin(), clients.end(),
            [](const auto& a, const auto& b) { return a->waiting_bytes() > b->waiting_bytes(); });
  size_t ended = 0;
  while (ended < clients.size() && !enough()) end(*clients[ended++]);
  return ended;
}

}  // namespace hubbub::net
