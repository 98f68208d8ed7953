#include "connector/chat_links.h"

#include <utility>

#include "spdlog/spdlog.h"

namespace hubbub::connector {

ChatLinks::ChatLinks(std::string connector_id, const Encoder& encoder, std::vector<LocalRooms*> rooms)
    : connector_id_(std::move(connector_id)),
      encoder_(encoder),
      rooms_(std::move(rooms)),
      servers_(std::make_shared<ServerList>()) {}

void ChatLinks::Update(const std::shared_ptr<const ServerList>& servers) {
  std::vector<std::shared_ptr<ChatLink>> stale;
  {
    MutexLock lock(mu_);
    servers_ = servers;
    StringMap<std::shared_ptr<ChatLink>> links;
    for (const ServerInfo& server : servers->chats) {
      const auto known = links_.find(server.id);
      if (known != links_.end() && known->second->server() == server) {
        links.emplace(server.id, known->second);
        continue;
      }
      auto link = std::make_shared<ChatLink>(
          server, connector_id_, [this](const auto& events) { Distribute(events); },
          [this](const std::string& id, uint64_t lease) {
            for (LocalRooms* rooms : rooms_) {
              rooms->loop().Post([rooms, id, lease] { rooms->OnNewLease(id, lease); });
            }
          });
      link->Start();
      links.emplace(server.id, std::move(link));
    }
    links_.swap(links);
    for (auto& [id, link] : links) {
      if (const auto kept = links_.find(id); kept == links_.end() || kept->second != link)
        stale.push_back(std::move(link));
    }
  }
  // Outside the lock: it waits for callbacks.
  for (const auto& link : stale) link->Stop();
}

std::shared_ptr<ChatLink> ChatLinks::OwnerOf(std::string_view room) const {
  MutexLock lock(mu_);
  const ServerInfo* owner = servers_->OwnerOf(room);
  if (owner == nullptr) return nullptr;
  return links_.find(owner->id)->second;
}

std::shared_ptr<ChatLink> ChatLinks::Find(std::string_view server_id) const {
  MutexLock lock(mu_);
  const auto at = links_.find(server_id);
  return at == links_.end() ? nullptr : at->second;
}

bool ChatLinks::AllLeased() const {
  MutexLock lock(mu_);
  for (const auto& [id, link] : links_) {
    if (link->lease() == 0) return false;
  }
  return true;
}

void ChatLinks::Stop() {
  StringMap<std::shared_ptr<ChatLink>> links;
  {
    MutexLock lock(mu_);
    links.swap(links_);
    servers_ = std::make_shared<ServerList>();
  }
  for (auto& [id, link] : links) link->Stop();
}

void ChatLinks::Distribute(const google::protobuf::RepeatedPtrField<chat::v1::Event>& events) const {
  const auto batch = std::make_shared<const Deliveries>(encoder_.Encode(events));
  // One post for each loop and batch, whatever the number of sessions.
  for (LocalRooms* rooms : rooms_) {
    rooms->loop().Post([rooms, batch] { rooms->Deliver(batch); });
  }
}

}  // namespace hubbub::connector
