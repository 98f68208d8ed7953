#include "chat/store/postgres_schema.h"

#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "services/base/random_id.h"

namespace hubbub::chat {
namespace {

// A program that changes the tables holds this lock until its transaction ends. The number is arbitrary:
// other programs are unlikely to have chosen it.
constexpr char kLock[] = "SELECT pg_advisory_xact_lock(1752523372)";

// Updates of slots and servers find room in the page of the row, so that these small tables stay small.
constexpr char kMakeTables[] = R"(
CREATE TABLE meta (one INT PRIMARY KEY CHECK (one = 1), suite TEXT NOT NULL, slots INT NOT NULL,
                   epoch BIGINT NOT NULL, schema INT NOT NULL, oldest INT NOT NULL);
CREATE TABLE servers (incarnation BIGINT PRIMARY KEY, id TEXT NOT NULL, address TEXT NOT NULL, history TEXT NOT NULL,
                      beat BIGINT NOT NULL, draining BOOLEAN NOT NULL, gone BOOLEAN NOT NULL) WITH (fillfactor = 50);
CREATE TABLE slots (slot INT PRIMARY KEY, owner BIGINT NOT NULL, generation BIGINT NOT NULL) WITH (fillfactor = 50);
CREATE TABLE rooms (room TEXT COLLATE "C" PRIMARY KEY, slot INT NOT NULL, trimmed BIGINT NOT NULL DEFAULT 0);
CREATE TABLE events (room TEXT COLLATE "C" NOT NULL, "offset" BIGINT NOT NULL CHECK ("offset" >= 1), generation BIGINT NOT NULL,
                     time_ms BIGINT NOT NULL, sender TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL,
                     recipients INT NOT NULL, content BYTEA NOT NULL, PRIMARY KEY (room, "offset")))";

// How many tables of the store are in this schema, and how many of the columns by which `meta` is known.
constexpr PostgresStatement kLook{"look", R"(
SELECT current_schema()::text,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relname IN ('meta', 'servers', 'slots', 'rooms', 'events')),
       (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relname = 'meta' AND NOT a.attisdropped
          AND a.attname IN ('one', 'suite', 'slots', 'epoch', 'schema', 'oldest')))",
                                  false};
constexpr PostgresStatement kMeta{"meta", "SELECT suite, slots, epoch, schema, oldest FROM meta", false};

// The programs that make one store at once are a suite's servers. Each attempt that was in vain is another's
// success.
constexpr int kAttempts = 10;

}  // namespace

std::vector<PostgresSchemaStep> PostgresSchema::Steps() {
  return {{.version = 1, .oldest = 1, .sql = kMakeTables}};
}

PostgresSchema::PostgresSchema() : PostgresSchema(Steps()) {}

PostgresSchema::PostgresSchema(std::vector<PostgresSchemaStep> steps) : steps_(std::move(steps)) {}

absl::StatusOr<StoreMeta> PostgresSchema::Prepare(PostgresConnection& connection, const StoreOptions& options,
                                                  const std::string& store) const {
  absl::Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const absl::StatusOr<Found> found = Look(connection, store);
    if (!found.ok()) return found.status();
    if (*found == Found::kNothing) {
      if (!options.make) {
        return absl::FailedPreconditionError(store +
                                             ": there is no store of Hubbub's: name the database of one");
      }
      last = Make(connection, options);
    } else {
      const absl::StatusOr<PostgresRows> rows = connection.Run(kMeta, {});
      if (!rows.ok()) return rows.status();
      if (rows->size() != 1) {
        return absl::FailedPreconditionError(
            store +
            ": the table meta is empty, so this is not a store of Hubbub's: name an "
            "empty database, or another schema by search_path");
      }
      StoreMeta meta{.suite = std::string(rows->Text(0, 0)),
                     .slots = static_cast<int>(rows->Number(0, 1)),
                     .epoch = static_cast<uint64_t>(rows->Number(0, 2)),
                     .schema = static_cast<int>(rows->Number(0, 3)),
                     .oldest = static_cast<int>(rows->Number(0, 4))};
      if (absl::Status status = Check(meta, options.suite, store); !status.ok()) return status;
      if (meta.schema >= steps_.back().version) return meta;
      last = Upgrade(connection, meta.schema);
    }
    if (connection.last_state() == "42501") {
      return absl::FailedPreconditionError(
          std::string(last.message()) +
          ", and to make tables in this schema, or let the database's owner start once");
    }
    // Unknown, or refused because another one was faster: what is so now, a new look says.
    if (!last.ok() && !connection.Alive()) break;
  }
  return absl::UnavailableError(
      fmt::format("{}: the tables could not be made: {}", store, std::string(last.message())));
}

absl::Status PostgresSchema::Check(const StoreMeta& meta, const std::string& suite,
                                   const std::string& store) const {
  if (meta.suite != suite) {
    return absl::FailedPreconditionError(
        fmt::format("{} is the store of the suite {}, and this program is of the suite {}: give each suite a "
                    "database or a schema of its own",
                    store, meta.suite, suite));
  }
  if (meta.oldest > steps_.back().version) {
    return absl::FailedPreconditionError(fmt::format(
        "{} needs a program that knows version {} of the tables, and this one knows {}: start a newer one",
        store, meta.oldest, steps_.back().version));
  }
  return absl::OkStatus();
}

absl::StatusOr<PostgresSchema::Found> PostgresSchema::Look(PostgresConnection& connection,
                                                           const std::string& store) const {
  const absl::StatusOr<PostgresRows> rows = connection.Run(kLook, {});
  if (!rows.ok()) return rows.status();
  if (rows->IsNull(0, 0)) {
    return absl::FailedPreconditionError(
        store + ": none of the schemas of search_path exists: make one, or name another one there");
  }
  if (rows->Number(0, 1) == 0) return Found::kNothing;
  if (rows->Number(0, 1) == 5 && rows->Number(0, 2) == 6) return Found::kStore;
  return absl::FailedPreconditionError(
      fmt::format("{}: the schema {} has tables with the names of Hubbub's that are not Hubbub's: name an "
                  "empty database, or another schema "
                  "by search_path",
                  store, std::string(rows->Text(0, 0))));
}

absl::Status PostgresSchema::Make(PostgresConnection& connection, const StoreOptions& options) const {
  const uint64_t epoch = options.epoch != 0 ? options.epoch : RandomId();
  // Without IF NOT EXISTS: if another program was faster, all of this fails and nothing is changed.
  std::string sql = kLock;
  for (const PostgresSchemaStep& step : steps_) sql += ";" + step.sql;
  sql += fmt::format(
      "; INSERT INTO meta (one, suite, slots, epoch, schema, oldest) VALUES (1, {}, {}, {}, {}, {})",
      QuoteLiteral(options.suite), options.slots, epoch, steps_.back().version, steps_.back().oldest);
  sql +=
      fmt::format("; INSERT INTO slots SELECT n, 0, 0 FROM generate_series(0, {}) AS n", options.slots - 1);
  return connection.RunAll(sql).status();
}

absl::Status PostgresSchema::Upgrade(PostgresConnection& connection, int from) const {
  std::string sql = kLock;
  for (const PostgresSchemaStep& step : steps_) {
    if (step.version > from) sql += ";" + step.sql;
  }
  // Fails if another program was faster, as a rule by the step itself, and always here: oldest takes no NULL.
  sql += fmt::format(
      "; UPDATE meta SET schema = {}, oldest = CASE WHEN schema = {} THEN GREATEST(oldest, {}) END",
      steps_.back().version, from, steps_.back().oldest);
  return connection.RunAll(sql).status();
}

}  // namespace hubbub::chat
