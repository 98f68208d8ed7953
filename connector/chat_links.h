#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/chat_link.h"
#include "connector/encoder.h"
#include "connector/local_rooms.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::connector {

// The links to all chat servers of the directory, and the way of their events to the loops. Thread-safe.
// Owned by main.
class ChatLinks {
 public:
  // `rooms`: one for each loop; they outlive the links.
  ChatLinks(std::string connector_id, const Encoder& encoder, std::vector<LocalRooms*> rooms);
  ~ChatLinks() { Stop(); }

  // Opens links to the chat servers that are new in the directory, and closes those that have gone.
  void Update(const std::shared_ptr<const ServerList>& servers) ABSL_LOCKS_EXCLUDED(mu_);
  // The link to the owner of a room; null if the directory has no chat server.
  std::shared_ptr<ChatLink> OwnerOf(std::string_view room) const ABSL_LOCKS_EXCLUDED(mu_);
  // The link to a server by id; null if there is none.
  std::shared_ptr<ChatLink> Find(std::string_view server_id) const ABSL_LOCKS_EXCLUDED(mu_);
  // True if every chat server of the directory has given this connector a lease.
  bool AllLeased() const ABSL_LOCKS_EXCLUDED(mu_);
  // Closes all.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Distribute(const google::protobuf::RepeatedPtrField<chat::v1::Event>& events) const;

  const std::string connector_id_;
  const Encoder& encoder_;
  const std::vector<LocalRooms*> rooms_;
  mutable Mutex mu_;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);
  StringMap<std::shared_ptr<ChatLink>> links_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::connector
