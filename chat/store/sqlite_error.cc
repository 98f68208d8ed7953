#include "chat/store/sqlite_error.h"

#include <sqlite3.h>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

constexpr int Primary(int code) {
  return code & 0xff;
}

absl::Status BeforeCommit(int code, std::string_view store, std::string_view detail) {
  if (code == SQLITE_READONLY_DBMOVED) {
    return absl::FailedPreconditionError(fmt::format(
        "the file of {} was moved, removed or replaced while it was in use; put it back and restart", store));
  }
  switch (Primary(code)) {
    case SQLITE_FULL:
      return absl::UnavailableError(fmt::format("the disk of {} is full; make room on it", store));
    case SQLITE_READONLY:
      return absl::UnavailableError(
          fmt::format("{} is read-only ({}); let this user write the file and its folder", store, detail));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::UnavailableError(
          fmt::format("{} cannot be opened ({}); this user must be able to write the file and its folder",
                      store, detail));
    case SQLITE_IOERR:
      return absl::UnavailableError(fmt::format(
          "{} cannot be read or written ({}, code {}); look after its disk", store, detail, code));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      // Who begins a transaction waits for its turn; inside of one nobody is in the way.
      return absl::UnavailableError(fmt::format("{} is in use by another program; ask again", store));
    case SQLITE_NOMEM:
      return absl::UnavailableError(fmt::format("{} has no memory for this; give the process more", store));
    case SQLITE_CORRUPT:
      return absl::FailedPreconditionError(
          fmt::format("{} is damaged ({}); stop all chat servers and restore a backup", store, detail));
    case SQLITE_NOTADB:
      return absl::FailedPreconditionError(fmt::format("{} is not a database; name another file", store));
    default:
      return absl::InternalError(fmt::format("{} refuses this ({}, code {})", store, detail, code));
  }
}

}  // namespace

bool SqliteIsBusy(int code) {
  // PROTOCOL: another one changed the WAL's index too often while this one looked.
  return Primary(code) == SQLITE_BUSY || Primary(code) == SQLITE_LOCKED || Primary(code) == SQLITE_PROTOCOL;
}

absl::Status SqliteError(int code, SqlitePhase phase, std::string_view store, std::string_view detail) {
  if (Primary(code) == SQLITE_INTERRUPT) {
    return absl::CancelledError(fmt::format("a call to {} was interrupted, because this server ends", store));
  }
  // A full disk is found before the last page of a commit is written, and without that one the others count
  // for nothing. Of all other errors a restart may find the commit in the log.
  if (phase == SqlitePhase::kCommit && Primary(code) != SQLITE_FULL) {
    return absl::UnknownError(
        fmt::format("{} did not say whether this was done ({}, code {}); ask again", store, detail, code));
  }
  return BeforeCommit(code, store, detail);
}

}  // namespace hubbub::chat
