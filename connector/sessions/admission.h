#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "connector/sessions/requests.h"
#include "connector/sessions/session_environment.h"
#include "services/base/rate_limit.h"
#include "services/base/string_map.h"
#include "services/client/client_session.h"

namespace hubbub::connector {

// Whether a session may enter a room: how often, under which name, and by which sign-in token. Errors are
// sentences for the client. Loop-only. Owned by the session's handler.
class Admission {
 public:
  // Both outlive it.
  Admission(client::ClientSession& session, const SessionEnvironment& environment);

  // Counts one more enter; RESOURCE_EXHAUSTED if that is too many.
  absl::Status CountEnter();
  // OK if the session, of `user` if that is not empty, may have what it wishes for, by the token that it
  // shows now or has shown before. One that it shows now is taken as by Refresh.
  absl::Status Check(const EnterRequest& wish, std::string_view user, const StringSet& rooms);
  // Takes a newer token in the place of the one in use. The client must be allowed to be in the rooms where
  // it is.
  absl::Status Refresh(std::string_view token, const StringSet& rooms);

 private:
  absl::Status CheckNames(const EnterRequest& wish) const;

  client::ClientSession& session_;
  const SessionEnvironment& environment_;
  RateLimit enters_;
};

}  // namespace hubbub::connector
