#include "connector/linked_chat_servers.h"

#include <utility>

#include "connector/pause.h"
#include "connector/places.h"
#include "services/entropy.h"
#include "services/retry_pause.h"

namespace hubbub::connector {

LinkedChatServers::LinkedChatServers(ChatLinks& links, net::Loop& loop)
    : links_(links), loop_(loop), pauses_(Entropy{}()) {}

uint64_t LinkedChatServers::LeaseAt(const std::string& server) const {
  const auto link = links_.Find(server);
  return link == nullptr ? 0 : link->lease();
}

uint64_t LinkedChatServers::IncarnationOf(const std::string& server) const {
  const auto link = links_.Find(server);
  return link == nullptr ? 0 : link->incarnation();
}

std::string LinkedChatServers::BestFor(const std::string& room) const {
  const auto link = links_.BestFor(room);
  return link == nullptr ? std::string() : link->server().id;
}

void LinkedChatServers::Restore(const std::string& server, chat::v1::RestoreRequest request, Done done) {
  std::shared_ptr<ChatLink> link = links_.Find(server);
  if (link == nullptr) {
    return loop_.Post(
        [done = std::move(done)] { done(absl::UnavailableError("it has left the directory"), {}); });
  }
  ChatLink& target = *link;
  target.Restore(
      loop_, std::move(request),
      [link = std::move(link), done = std::move(done)](
          const absl::Status& status, const chat::v1::RestoreResponse& response) { done(status, response); });
}

void LinkedChatServers::Kick(const std::string& server, const chat::v1::KickRequest& place) {
  if (auto link = links_.Find(server)) KickPlace(loop_, std::move(link), place, kTriesAlone);
}

std::shared_ptr<SendLine> LinkedChatServers::LineOf(const Membership& membership) {
  if (!membership.joined) return nullptr;
  const auto link = links_.Find(membership.server);
  // With another lease, or none, the chat server may know nobody in the room: what it took would reach
  // nobody.
  if (link == nullptr || link->lease() != membership.lease) return nullptr;
  return link->SendsOf(loop_);
}

void LinkedChatServers::Later(int tries, std::function<void()> then) {
  After(loop_, RetryPause(tries, ++pauses_), std::move(then));
}

}  // namespace hubbub::connector
