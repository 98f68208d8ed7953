#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connector/chat_links.h"
#include "connector/restorer.h"
#include "connector/room_sends.h"
#include "services/net/loop.h"

namespace hubbub::connector {

// The chat servers behind ChatLinks, for one loop. Loop-only. Owned by main, one for each loop.
class LinkedChatServers final : public ChatServers, public SendLines {
 public:
  LinkedChatServers(ChatLinks& links, net::Loop& loop);

  uint64_t LeaseAt(const std::string& server) const override;
  uint64_t IncarnationOf(const std::string& server) const override;
  std::string BestFor(const std::string& room) const override;
  std::vector<std::string> Up() const override { return links_.Up(); }
  void Restore(const std::string& server, chat::v1::RestoreRequest request, Done done) override;
  void Kick(const std::string& server, const chat::v1::KickRequest& place) override;
  std::shared_ptr<SendLine> LineOf(const Membership& membership) override;
  void Later(int tries, std::function<void()> then) override;  // Of both.

 private:
  ChatLinks& links_;
  net::Loop& loop_;
  uint64_t pauses_;  // Counted from a random number, so that no two loops wait alike.
};

}  // namespace hubbub::connector
