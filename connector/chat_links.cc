#include "connector/chat_links.h"

#include <algorithm>
#include <utility>

#include "services/entropy.h"
#include "services/rendezvous.h"

namespace hubbub::connector {

ChatLinks::ChatLinks(std::string connector_id, Listener listener)
    : connector_id_(std::move(connector_id)), incarnation_(Entropy()() | 1), listener_(std::move(listener)) {}

std::shared_ptr<ChatLink> ChatLinks::Open(const ServerInfo& server) const {
  return std::make_shared<ChatLink>(
      server, connector_id_, incarnation_,
      ChatLink::Listener{
          .on_events = [this, id = server.id](ChatLink::Events& events) { listener_.on_events(id, events); },
          .on_up = [this, id = server.id](uint64_t incarnation,
                                          bool fresh) { listener_.on_up(id, incarnation, fresh); },
          .on_lost = [this, id = server.id] { listener_.on_lost(id); }});
}

void ChatLinks::Update(const std::shared_ptr<const ServerList>& servers) {
  std::vector<std::shared_ptr<ChatLink>> stale;
  std::vector<std::shared_ptr<ChatLink>> fresh;
  {
    MutexLock lock(mu_);
    for (Entry& entry : entries_) entry.listed = false;
    for (const ServerInfo& server : servers->chats) {
      auto known = std::find_if(entries_.begin(), entries_.end(),
                                [&](const Entry& entry) { return entry.id == server.id; });
      if (known == entries_.end())
        known = entries_.insert(entries_.end(), Entry{.id = server.id, .link = {}});
      known->listed = true;
      if (known->link != nullptr && known->link->server() == server) continue;
      // At another address it is another process.
      if (known->link != nullptr) stale.push_back(std::move(known->link));
      known->link = Open(server);
      fresh.push_back(known->link);
    }
  }
  // Outside the lock: it waits for callbacks.
  for (const auto& link : stale) link->Stop();
  for (const auto& link : fresh) link->Start();
  Sweep();
}

void ChatLinks::Sweep() {
  std::vector<std::shared_ptr<ChatLink>> stale;
  {
    MutexLock lock(mu_);
    std::erase_if(entries_, [&](Entry& entry) {
      if (entry.listed || !entry.link->lost()) return false;
      stale.push_back(std::move(entry.link));
      return true;
    });
  }
  for (const auto& link : stale) link->Stop();
}

std::shared_ptr<ChatLink> ChatLinks::BestFor(std::string_view room) const {
  MutexLock lock(mu_);
  const Entry* const best = RendezvousPick(
      entries_, room, [](const Entry& entry) { return entry.listed && entry.link->lease() != 0; });
  return best == nullptr ? nullptr : best->link;
}

std::shared_ptr<ChatLink> ChatLinks::Find(std::string_view server_id) const {
  MutexLock lock(mu_);
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [server_id](const Entry& entry) { return entry.id == server_id; });
  return at == entries_.end() ? nullptr : at->link;
}

std::vector<std::string> ChatLinks::Up() const {
  std::vector<std::string> up;
  MutexLock lock(mu_);
  for (const Entry& entry : entries_) {
    if (entry.link->lease() != 0) up.push_back(entry.id);
  }
  return up;
}

bool ChatLinks::AllLeased() const {
  MutexLock lock(mu_);
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return !entry.listed || entry.link->lease() != 0; });
}

void ChatLinks::Stop() {
  std::vector<Entry> entries;
  {
    MutexLock lock(mu_);
    entries.swap(entries_);
  }
  for (const Entry& entry : entries) entry.link->Stop();
}

}  // namespace hubbub::connector
