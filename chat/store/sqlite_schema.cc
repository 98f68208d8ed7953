#include "chat/store/sqlite_schema.h"

#include <optional>

#include "fmt/format.h"
#include "services/base/random_id.h"

namespace hubbub::chat {
namespace {

// As in PostgreSQL, but that names compare by their bytes anyway, and that rows lie in the order of their
// keys.
constexpr const char* kFirst = R"sql(
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), suite TEXT NOT NULL, slots INTEGER NOT NULL,
                   epoch INTEGER NOT NULL, schema INTEGER NOT NULL, oldest INTEGER NOT NULL) STRICT;
CREATE TABLE servers (incarnation INTEGER PRIMARY KEY, id TEXT NOT NULL, address TEXT NOT NULL, history TEXT NOT NULL,
                      beat INTEGER NOT NULL, draining INTEGER NOT NULL, gone INTEGER NOT NULL) STRICT;
CREATE TABLE slots (slot INTEGER PRIMARY KEY, owner INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;
CREATE TABLE rooms (room TEXT PRIMARY KEY, slot INTEGER NOT NULL, trimmed INTEGER NOT NULL DEFAULT 0)
  STRICT, WITHOUT ROWID;
CREATE TABLE events (room TEXT NOT NULL, "offset" INTEGER NOT NULL CHECK ("offset" > 0), generation INTEGER NOT NULL,
                     time_ms INTEGER NOT NULL, sender TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL,
                     recipients INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (room, "offset"))
  STRICT, WITHOUT ROWID;
)sql";

std::optional<int64_t> Number(SqliteConnection& connection, const char* sql, int& code) {
  SqliteStatement statement(connection, sql);
  std::optional<int64_t> number;
  code = statement.ForEach([&] { number = statement.Int(0); });
  return number;
}

}  // namespace

const std::vector<SqliteStep>& SqliteSchema::Steps() {
  static const std::vector<SqliteStep> steps = {{kFirst, 1}};
  return steps;
}

absl::Status SqliteSchema::Make(SqliteSession& session, const std::string& suite, int slots,
                                uint64_t epoch) const {
  if (const absl::Status status = session.Alone("PRAGMA journal_mode = WAL"); !status.ok()) return status;
  return session.Write([&] {
    SqliteConnection& connection = session.connection();
    int code = connection.Run(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
    for (const SqliteStep& step : steps_) {
      if (code == SQLITE_OK) code = connection.Run(step.sql);
    }
    if (code != SQLITE_OK) return code;
    SqliteStatement meta(
        connection, "INSERT INTO meta (one, suite, slots, epoch, schema, oldest) VALUES (1, ?, ?, ?, ?, ?)");
    meta.Bind(suite, slots, epoch != 0 ? epoch : RandomId(), version(), steps_.back().oldest);
    code = meta.Run();
    SqliteStatement slot(connection, "INSERT INTO slots (slot, owner, generation) VALUES (?, 0, 0)");
    for (int i = 0; i < slots && code == SQLITE_OK; ++i) {
      slot.Bind(i);
      code = slot.Run();
    }
    return code;
  });
}

absl::Status SqliteSchema::Upgrade(SqliteSession& session) const {
  return session.Write([&] {
    SqliteConnection& connection = session.connection();
    int code = SQLITE_OK;
    // Read under the lock: another program may have been faster.
    const std::optional<int64_t> from = Number(connection, "SELECT schema FROM meta", code);
    if (code != SQLITE_OK || !from.has_value() || *from >= version()) return code;
    for (size_t i = static_cast<size_t>(*from); i < steps_.size() && code == SQLITE_OK; ++i) {
      code = connection.Run(steps_[i].sql);
    }
    if (code != SQLITE_OK) return code;
    SqliteStatement meta(connection, "UPDATE meta SET schema = ?, oldest = ?");
    meta.Bind(version(), steps_.back().oldest);
    return meta.Run();
  });
}

absl::StatusOr<StoreMeta> SqliteSchema::Check(SqliteSession& session, const std::string& suite) const {
  const auto refused = [&session](std::string_view what) {
    return absl::FailedPreconditionError(fmt::format("{} {}", session.name(), what));
  };
  std::optional<int64_t> application;
  std::optional<int64_t> tables;
  std::optional<StoreMeta> meta;
  const absl::Status read = session.Read([&] {
    meta.reset();
    int code = SQLITE_OK;
    application = Number(session.connection(), "PRAGMA application_id", code);
    if (code != SQLITE_OK || application != kApplicationId) return code;
    tables = Number(session.connection(),
                    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                    "('meta', 'servers', 'slots', 'rooms', 'events')",
                    code);
    if (code != SQLITE_OK || tables != 5) return code;
    SqliteStatement row(session.connection(), "SELECT suite, slots, epoch, schema, oldest FROM meta");
    return row.ForEach([&] {
      meta = StoreMeta{row.Bytes(0), static_cast<int>(row.Int(1)), static_cast<uint64_t>(row.Int(2)),
                       static_cast<int>(row.Int(3)), static_cast<int>(row.Int(4))};
    });
  });
  if (!read.ok()) return read;
  if (application != kApplicationId) {
    return refused(
        "is not a store of Hubbub's but another program's file, or an empty one; name another file, or "
        "remove it");
  }
  if (tables != 5 || !meta.has_value() || meta->slots < 1) {
    return refused("is a store of Hubbub's from which tables or rows are missing; restore a backup");
  }
  if (meta->oldest > version()) {
    return refused(fmt::format(
        "was made by a newer program: it must know version {} of the tables, and this one knows {}; "
        "install the newer one",
        meta->oldest, version()));
  }
  if (meta->suite != suite) {
    return refused(fmt::format(
        "belongs to the suite \"{}\", and this server to \"{}\"; each suite has a store of its own",
        meta->suite, suite));
  }
  return *std::move(meta);
}

}  // namespace hubbub::chat
