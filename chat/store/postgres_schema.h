#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/open_store.h"
#include "chat/store/postgres_connection.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// A version of the tables, as what makes it out of the one before. It must leave the statements of that
// version working, so that programs of both run side by side.
struct PostgresSchemaStep {
  int version = 0;
  int oldest = 0;   // The oldest version that a program must know to write here from now on.
  std::string sql;  // Statements divided by semicolons.
};

// The tables of a store in PostgreSQL, in the connection's schema. They are made, and brought up to date, in
// one transaction under an advisory lock; whatever is not a store of this suite is left as it is.
class PostgresSchema {
 public:
  PostgresSchema();  // The versions that this program knows.
  // For tests. By version; the first one makes the tables out of nothing.
  explicit PostgresSchema(std::vector<PostgresSchemaStep> steps);

  // What this program knows: the steps behind PostgresSchema().
  static std::vector<PostgresSchemaStep> Steps();

  // Makes or upgrades the tables where necessary, and answers what `meta` says. FAILED_PRECONDITION if this
  // is not a store that this program may write to; other errors as store.h has them, without UNKNOWN.
  absl::StatusOr<StoreMeta> Prepare(PostgresConnection& connection, const StoreOptions& options,
                                    const std::string& store) const;
  // FAILED_PRECONDITION if a program of this version and suite must not write to a store that says `meta`.
  absl::Status Check(const StoreMeta& meta, const std::string& suite, const std::string& store) const;

 private:
  enum class Found { kNothing, kStore };

  absl::StatusOr<Found> Look(PostgresConnection& connection, const std::string& store) const;
  absl::Status Make(PostgresConnection& connection, const StoreOptions& options) const;
  absl::Status Upgrade(PostgresConnection& connection, int from) const;

  std::vector<PostgresSchemaStep> steps_;
};

}  // namespace hubbub::chat
