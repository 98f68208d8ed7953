#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// One version of the tables, as a change of the version before it.
struct SqliteStep {
  const char* sql;
  // The oldest version that a program must know to write into tables of this one.
  int oldest;
};

// The tables of a store: how they are made, brought up to date and known.
class SqliteSchema {
 public:
  // The file's application_id, by which a file of another program is known: "Hubb".
  static constexpr int kApplicationId = 0x48756262;

  // Version n is made by the n-th step. A step that was released is never changed: a further one is added,
  // whose `oldest` a program of the release before knows.
  static const std::vector<SqliteStep>& Steps();

  // `steps`: version 1 first; must outlive this.
  explicit SqliteSchema(const std::vector<SqliteStep>& steps) : steps_(steps) {}

  int version() const { return static_cast<int>(steps_.size()); }

  // Fills an empty file. `epoch` 0: a random one.
  absl::Status Make(SqliteSession& session, const std::string& suite, int slots, uint64_t epoch) const;
  // Makes the steps that are missing, in one transaction, unless another program is doing so.
  absl::Status Upgrade(SqliteSession& session) const;
  // What the file says of itself. FAILED_PRECONDITION if it is no store, or none of this suite, or one that
  // this program must not write into.
  absl::StatusOr<StoreMeta> Check(SqliteSession& session, const std::string& suite) const;

 private:
  const std::vector<SqliteStep>& steps_;
};

}  // namespace hubbub::chat
