#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace hubbub::chat {

// Where in a transaction SQLite refused something: what it means depends on it.
enum class SqlitePhase {
  kWork,    // Before COMMIT: nothing has happened.
  kCommit,  // In COMMIT: it may have been written, and a restart may find it.
};

// What an extended result code of SQLite's means to a caller of Store, as a sentence that names `store`.
// `detail`: SQLite's own words. The code is an error's.
absl::Status SqliteError(int code, SqlitePhase phase, std::string_view store, std::string_view detail);

// True if another connection is in the way just now: ask again.
bool SqliteIsBusy(int code);

}  // namespace hubbub::chat
