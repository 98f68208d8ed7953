#include "services/net/waiting.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "spdlog/spdlog.h"

namespace hubbub::net {

void Waiting::Change(size_t before, size_t now) {
  bytes_ += now - before;
  if (bytes_ > most_) EndTheSlowest();
}

void Waiting::EndTheSlowest() {
  const size_t were = bytes_;
  std::vector<std::shared_ptr<WaitingClient>> clients;
  for (const auto& one : all_) {
    const auto alive = one.lock();
    if (alive == nullptr) continue;
    auto some = alive->AllWaiting();
    std::move(some.begin(), some.end(), std::back_inserter(clients));
  }
  std::erase_if(clients, [](const auto& client) { return client->waiting_bytes() == 0; });
  std::sort(clients.begin(), clients.end(),
            [](const auto& a, const auto& b) { return a->waiting_bytes() > b->waiting_bytes(); });
  size_t ended = 0;
  while (ended < clients.size() && bytes_ > most_ / 8 * 7)
    clients[ended++]->EndAsSlow("clients together do not read enough, and this one has most to take");
  spdlog::warn("{} clients were closed: {} bytes waited for clients that do not read, and a loop may have {}",
               ended, were, most_);
}

WaitingByLoop BoundWaiting(int loops, size_t most) {
  WaitingByLoop all;
  for (int i = 0; i < loops; ++i) all.push_back(std::make_shared<Waiting>(most / static_cast<size_t>(loops)));
  return all;
}

}  // namespace hubbub::net
