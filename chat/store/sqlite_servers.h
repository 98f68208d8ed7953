#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// The statements about chat servers. See Store, whose thread uses it.
class SqliteServers {
 public:
  explicit SqliteServers(SqliteSession& session);

  // In a transaction that reads. SQLite's code.
  int List(std::vector<StoredServer>& servers);
  absl::Status Register(const StoredServer& server);
  absl::StatusOr<bool> Renew(uint64_t incarnation);
  absl::Status SetDraining(uint64_t incarnation, bool draining);
  absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat);
  absl::Status Leave(uint64_t incarnation);

 private:
  SqliteSession& session_;
  SqliteStatement list_;
  SqliteStatement find_;
  SqliteStatement other_mode_;
  SqliteStatement replace_;
  SqliteStatement insert_;
  SqliteStatement renew_;
  SqliteStatement set_draining_;
  SqliteStatement mark_gone_;
  SqliteStatement leave_;
  SqliteStatement free_slots_;
};

}  // namespace hubbub::chat
