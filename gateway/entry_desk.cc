#include "gateway/entry_desk.h"

#include <utility>

#include "services/base/stable_hash.h"

namespace hubbub::gate {

absl::StatusOr<ConnectorState> EntryDesk::Ask(std::string_view user, uint64_t connection,
                                              Clock::time_point now) {
  MutexLock lock(mu_);
  Asker& asker = Find(StableHash(user), now);
  std::vector<std::string>& named = asker.named;
  const bool another = asker.connection != connection;
  if (!named.empty() && (!another || !asker.came_back)) {
    if (ConnectorState same = table_.Get(named.back()); same.Serves()) {
      asker.came_back = asker.came_back || another;
      asker.connection = connection;
      asker.asked = now;
      return same;
    }
  }
  auto connector = table_.Pick(user, named);
  if (!connector.ok()) return connector;
  asker.connection = connection;
  asker.asked = now;
  std::erase(named, connector->id);
  if (named.size() == kMaxNamed) named.erase(named.begin());
  named.push_back(connector->id);
  return connector;
}

EntryDesk::Asker& EntryDesk::Find(uint64_t user, Clock::time_point now) {
  if (young_.size() >= kMaxUsers / 2 || now - young_since_ > kMemory) {
    old_ = std::exchange(young_, {});
    young_since_ = now;
  }
  Asker& asker = young_[user];
  if (const auto at = old_.find(user); at != old_.end()) {
    if (asker.named.empty()) asker = std::move(at->second);
    old_.erase(at);
  }
  if (now - asker.asked > kMemory) asker = {};
  return asker;
}

}  // namespace hubbub::gate
