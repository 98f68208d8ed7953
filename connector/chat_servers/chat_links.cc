#include "connector/chat_servers/chat_links.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "services/base/rendezvous.h"
#include "services/base/slot.h"

namespace hubbub::connector {

ChatLinks::ChatLinks(net::Loops& loops, ChatLinkOptions options, ChatLink::Listener listener)
    : links_({.make =
                  [&loops, options = std::move(options), listener = std::move(listener),
                   next = std::make_shared<std::atomic<int>>(0)](const directory::ServerInfo& server) {
                    return std::make_shared<ChatLink>(loops.at((*next)++ % loops.size()), server, options,
                                                      listener);
                  },
              .start = [](ChatLink& link) { link.Start(); },
              .stop = [](ChatLink& link) { link.Stop(); }}) {}

std::shared_ptr<const directory::ServerList> ChatLinks::Servers() const {
  MutexLock lock(mu_);
  return servers_;
}

void ChatLinks::Update(const std::shared_ptr<const directory::ServerList>& servers) {
  {
    MutexLock lock(mu_);
    servers_ = servers;
  }
  Sweep();
}

void ChatLinks::Sweep() {
  links_.Update([this] {
    std::vector<directory::ServerInfo> servers = Servers()->chats;
    // Behind those of the directory, which count first: at another address a server is another process.
    for (const auto& link : links_.All()) {
      if (!link->lost()) servers.push_back(link->server());
    }
    return servers;
  });
}

bool ChatLinks::Leased(const directory::ServerInfo& server) const {
  const auto link = Find(server.id);
  return link != nullptr && link->lease() != 0;
}

std::shared_ptr<ChatLink> ChatLinks::BestFor(std::string_view room) const {
  const auto servers = Servers();
  const directory::ServerInfo* const best =
      RendezvousPick(servers->chats, SlotKey(SlotOf(room, kDefaultSlots)),
                     [this](const directory::ServerInfo& server) { return Leased(server); });
  return best == nullptr ? nullptr : Find(best->id);
}

std::vector<std::string> ChatLinks::Up() const {
  std::vector<std::string> up;
  for (const auto& link : links_.All()) {
    if (link->lease() != 0) up.push_back(link->server().id);
  }
  return up;
}

bool ChatLinks::AllLeased() const {
  const auto servers = Servers();
  return std::all_of(servers->chats.begin(), servers->chats.end(),
                     [this](const directory::ServerInfo& server) { return Leased(server); });
}

}  // namespace hubbub::connector
