#pragma once

#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "services/base/string_map.h"
#include "services/client/client_session.h"
#include "services/net/loop.h"

namespace hubbub::client {

// The sessions of one loop that have signed in, by user: a user may have several. Loop-only. Owned by the
// part of a program that owns what its sessions on that loop share, and outlives them.
class SessionRegistry {
 public:
  explicit SessionRegistry(net::Loop& loop) : loop_(loop) {}

  net::Loop& loop() const { return loop_; }

  // `session` stays registered until SignOut, which comes before it is destroyed.
  void SignIn(std::string_view user, ClientSession& session);
  // Ignored if this session is not registered for this user.
  void SignOut(std::string_view user, ClientSession& session);
  // The sessions of a user, in the order in which they signed in; null if there are none. Valid until the
  // next change.
  const std::vector<ClientSession*>* SessionsOf(std::string_view user) const;
  // All sessions that have signed in, in no order.
  std::vector<ClientSession*> All() const;

 private:
  net::Loop& loop_;
  StringMap<std::vector<ClientSession*>> users_ ABSL_GUARDED_BY(loop_);
};

}  // namespace hubbub::client
