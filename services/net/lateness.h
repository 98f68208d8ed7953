#pragma once

#include "absl/functional/function_ref.h"
#include "services/net/connection.h"

namespace hubbub::net {

// True if a client that had the time `allowed` for something is late, when `passed` has gone by since. Not
// while bytes of the client's are unread, because it may be this loop that is late; but sending on and on
// gives nobody more than twice the time. `has_unread` is asked only if the answer depends on it: it is a
// system call. Times are of the clients' clock (ClientClock). Pure.
inline bool IsLate(Clock::duration passed, Clock::duration allowed, absl::FunctionRef<bool()> has_unread) {
  if (passed <= allowed) return false;
  return passed > 2 * allowed || !has_unread();
}

}  // namespace hubbub::net
