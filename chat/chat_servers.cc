#include "chat/chat_servers.h"

#include <utility>

#include "fmt/format.h"
#include "services/rpc/channel.h"

namespace hubbub::chat {

ChatServers::ChatServers(std::string id, std::shared_ptr<const ServerList> servers)
    : id_(std::move(id)), view_(std::make_shared<View>()) {
  Update(std::move(servers));
}

void ChatServers::Update(std::shared_ptr<const ServerList> servers) {
  const std::shared_ptr<const View> old = view();
  auto next = std::make_shared<View>();
  for (const ServerInfo& server : servers->chats) {
    if (server.id == id_) continue;
    const std::string address = server.grpc_address();
    const auto known = old->stubs.find(address);
    next->stubs[address] =
        known != old->stubs.end() ? known->second : v1::ChatService::NewStub(rpc::MakeChannel(address));
  }
  next->servers = std::move(servers);
  MutexLock lock(mu_);
  view_ = std::move(next);
}

absl::Status ChatServers::CheckOwner(std::string_view room) const {
  const std::shared_ptr<const View> now = view();
  const ServerInfo* const owner = OtherOwner(*now, room);
  if (owner == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, not to \"{}\"", room, owner->id,
                  owner->grpc_address(), id_));
}

OwnerStub ChatServers::StubOfOwner(std::string_view room) const {
  const std::shared_ptr<const View> now = view();
  const ServerInfo* const owner = OtherOwner(*now, room);
  return owner == nullptr ? nullptr : now->stubs.find(owner->grpc_address())->second;
}

Ownership ChatServers::ownership() const {
  return {.check = [this](std::string_view room) { return CheckOwner(room); },
          .owner_stub = [this](std::string_view room) { return StubOfOwner(room); }};
}

std::shared_ptr<const ChatServers::View> ChatServers::view() const {
  MutexLock lock(mu_);
  return view_;
}

const ServerInfo* ChatServers::OtherOwner(const View& view, std::string_view room) const {
  const ServerInfo* const owner = view.servers->OwnerOf(room);
  return owner == nullptr || owner->id == id_ ? nullptr : owner;
}

}  // namespace hubbub::chat
