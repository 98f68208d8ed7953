#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hubbub::chat {

// What an error of PostgreSQL means to a Store's user. `store` is the store's name, `state` the five letters
// of SQLSTATE, `text` what the server says.

struct StatementError {
  absl::Status status;     // UNKNOWN, UNAVAILABLE, FAILED_PRECONDITION or INTERNAL, as store.h has them.
  bool reconnect = false;  // The connection is of no use any more.
};

// Of a statement that was sent.
StatementError ClassifyStatementError(const std::string& store, std::string_view state,
                                      const std::string& text);

// Of a connection that could not be opened. PERMISSION_DENIED if it was the server that refused the login, so
// that a person must do something; UNAVAILABLE otherwise. The texts hold host and user, and no password.
absl::Status ClassifyConnectError(const std::string& store, std::string_view state, const std::string& text);

// The SQLSTATE in a verbose text of libpq's ("FATAL:  28P01: …"), which has no other way to give that of a
// failed connection; empty if there is none.
std::string FindSqlState(std::string_view text);

// One line without the place in the server's source that verbose texts have.
std::string PlainErrorText(std::string_view text);

}  // namespace hubbub::chat
