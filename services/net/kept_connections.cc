#include "services/net/kept_connections.h"

#include <algorithm>
#include <utility>

namespace hubbub::net {

KeptConnections::Added KeptConnections::Add(Machine machine, std::function<void()> lost) {
  const auto own = machines_.find(machine);
  const size_t own_size = own == machines_.end() ? 0 : own->second.size();
  const List* loser = nullptr;
  if (own_size >= most_of_one_) {
    loser = &own->second;
  } else if (size_ >= most_) {
    const auto largest =
        std::max_element(machines_.begin(), machines_.end(),
                         [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    // Of those who have as many, nobody loses one for another.
    if (largest != machines_.end() && largest->second.size() > own_size + 1) loser = &largest->second;
    if (loser == nullptr && own_size > 0) loser = &own->second;
    if (loser == nullptr) return {};
  }
  Added added{.kept = std::make_shared<Kept>(machine, std::move(lost))};
  if (loser != nullptr) {
    Kept& oldest = *loser->front();
    added.one_is_lost = true;
    added.tell = std::move(oldest.lost_);
    Remove(oldest);
  }
  List& list = machines_[machine];
  added.kept->at_ = list.insert(list.end(), added.kept.get());
  ++size_;
  return added;
}

bool KeptConnections::Renew(const Kept& kept) {
  if (!kept.counts_) return false;
  List& list = machines_.at(kept.machine_);
  list.splice(list.end(), list, kept.at_);
  return true;
}

bool KeptConnections::Remove(const Kept& kept) {
  if (!std::exchange(kept.counts_, false)) return false;
  const auto machine = machines_.find(kept.machine_);
  machine->second.erase(kept.at_);
  if (machine->second.empty()) machines_.erase(machine);
  --size_;
  return true;
}

}  // namespace hubbub::net
