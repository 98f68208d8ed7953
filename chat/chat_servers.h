#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "chat/forward.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/string_map.h"

namespace hubbub::chat {

// All chat servers as one of them sees them: which owns a room, and how to reach it. Follows the directory: a
// server that stays at its address keeps its channel. Thread-safe. Outlives the calls that it gave stubs for.
class ChatServers {
 public:
  // `id` is the one of this server.
  ChatServers(std::string id, std::shared_ptr<const ServerList> servers);

  void Update(std::shared_ptr<const ServerList> servers);

  // FAILED_PRECONDITION, with the owner's id and address, if the room belongs to another server.
  absl::Status CheckOwner(std::string_view room) const;
  // A way to the room's owner; null if it is this server.
  OwnerStub StubOfOwner(std::string_view room) const;

  // The two above as ChatService wants them. This object must outlive the result.
  Ownership ownership() const;

 private:
  // The directory at one moment with a stub for each other chat server, by address. Immutable.
  struct View {
    std::shared_ptr<const ServerList> servers;
    StringMap<OwnerStub> stubs;
  };

  std::shared_ptr<const View> view() const;
  // Who owns the room, if it is another one; null if it is this server or the directory has no chat server at
  // all.
  const ServerInfo* OtherOwner(const View& view, std::string_view room) const;

  const std::string id_;
  mutable Mutex mu_;
  std::shared_ptr<const View> view_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
