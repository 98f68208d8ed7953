#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "connector/delivery/encoder.h"
#include "connector/delivery/membership.h"
#include "connector/sessions/requests.h"
#include "services/client/client_session.h"
#include "services/client/session_registry.h"

namespace hubbub::connector {

// As whom a session is in its rooms: the user whom its first enter names, and the token by which another
// session may take its places over. While there is a user, the session is registered and events are encoded
// for it. Loop-only. Owned by the session's handler, which calls SignOut before it goes.
class SessionUser {
 public:
  // All outlive it. `name_wait`: how long a room keeps the name of a client that knows no tokens.
  SessionUser(client::ClientSession& session, client::SessionRegistry& sessions, Encoder& encoder,
              std::chrono::milliseconds name_wait)
      : session_(session), sessions_(sessions), encoder_(encoder), name_wait_(name_wait) {}

  // Empty before the first enter, and after it has failed.
  const std::string& name() const { return name_; }
  // Who is to have the place that the client wishes for. Signs in as the wish's user, unless there is one.
  Membership::Who Enter(const EnterRequest& wish);
  // Does nothing if there is no user. The token stays the session's: by it the next enter takes over a place
  // that the last one may have got though it failed.
  void SignOut();

  // The room keeps a name for this client for its token, not for its address.
  bool KnowsTokens() const { return session_.own_client() || showed_token_; }
  // As AddRequest has it.
  uint32_t WaitMs() const { return KnowsTokens() ? 0 : static_cast<uint32_t>(name_wait_.count()); }

 private:
  // `token`: empty for a new one.
  void SignIn(const std::string& name, std::string token);

  client::ClientSession& session_;
  client::SessionRegistry& sessions_;
  Encoder& encoder_;
  const std::chrono::milliseconds name_wait_;
  std::string name_;
  std::string token_;
  bool showed_token_ = false;
};

}  // namespace hubbub::connector
