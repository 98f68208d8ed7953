#include "chat/store/sqlite_store.h"

#include <utility>

#include "chat/store/sqlite_file.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using Mode = SqliteConnection::Mode;

// What SQLite keeps of its log when it begins anew, so that a rush of messages does not fill the disk for
// ever.
constexpr int kKeptLog = 64 << 20;

std::string NameOf(const SqliteOptions& options) {
  return fmt::format("sqlite:{}", options.path);
}

// Makes the file as a whole before it has its name, so that nobody ever sees, and no crash leaves, half of
// it.
absl::Status Make(const SqliteOptions& options, const SqliteSchema& schema, const SqliteFile& file) {
  absl::Status made = absl::OkStatus();
  {
    auto connection = SqliteConnection::Open(file.draft(), Mode::kMake, options.vfs, NameOf(options));
    if (!connection.ok()) return connection.status();
    SqliteSession session(*std::move(connection));
    made = session.Alone("PRAGMA synchronous = FULL");
    if (made.ok()) made = schema.Make(session, options.suite, options.slots, options.epoch);
    // Closing moves all of SQLite's log into the file, but says nothing of errors.
    if (made.ok()) made = session.Alone("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  if (made.ok()) return file.Publish();
  file.RemoveDraft();
  // Nobody has seen it, so there is no doubt.
  return absl::IsUnknown(made) ? absl::UnavailableError(made.message()) : made;
}

// Looks at a file that may be anybody's, and leaves it as it is.
absl::StatusOr<StoreMeta> Probe(const SqliteOptions& options, const SqliteSchema& schema) {
  auto connection = SqliteConnection::Open(options.path, Mode::kRead, options.vfs, NameOf(options));
  if (!connection.ok()) return connection.status();
  (*connection)->KeepFilesAtClose();
  SqliteSession session(*std::move(connection));
  return schema.Check(session, options.suite);
}

absl::Status SetUp(SqliteSession& session, bool sync) {
  // Somebody may have opened it with another program, and changed this.
  absl::Status status = session.Alone("PRAGMA journal_mode = WAL");
  if (status.ok()) status = session.Alone(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (status.ok()) status = session.Alone(fmt::format("PRAGMA journal_size_limit = {}", kKeptLog).c_str());
  if (status.ok()) status = session.Alone("PRAGMA cache_size = -16384");  // KiB.
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> SqliteStore::Open(const SqliteOptions& options) {
  const SqliteSchema schema(*options.steps);
  const SqliteFile file(options.path, NameOf(options));
  const absl::StatusOr<bool> exists = file.Exists();
  if (!exists.ok()) return exists.status();
  if (!*exists) {
    if (!options.make) {
      return absl::FailedPreconditionError(
          fmt::format("{} is not there: name the file of a store", NameOf(options)));
    }
    if (const absl::Status made = Make(options, schema, file); !made.ok()) return made;
  }
  const absl::StatusOr<StoreMeta> probed = Probe(options, schema);
  if (!probed.ok()) return probed.status();

  auto connection = SqliteConnection::Open(options.path, Mode::kWrite, options.vfs, NameOf(options));
  if (!connection.ok()) return connection.status();
  if ((*connection)->ReadOnly()) {
    return absl::UnavailableError(
        fmt::format("{} is read-only; let this user write the file and its folder", NameOf(options)));
  }
  auto session = std::make_unique<SqliteSession>(*std::move(connection));
  const std::stop_callback on_stop(options.stop, [&session = *session] { session.Interrupt(); });
  if (const absl::Status set_up = SetUp(*session, options.sync); !set_up.ok()) return set_up;
  if (probed->schema < schema.version()) {
    if (const absl::Status upgraded = schema.Upgrade(*session); !upgraded.ok()) return upgraded;
  }
  absl::StatusOr<StoreMeta> meta = schema.Check(*session, options.suite);
  if (!meta.ok()) return meta.status();
  return std::unique_ptr<Store>(new SqliteStore(std::move(session), schema, *std::move(meta)));
}

SqliteStore::SqliteStore(std::unique_ptr<SqliteSession> session, SqliteSchema schema, StoreMeta meta)
    : session_(std::move(session)),
      schema_(schema),
      meta_(std::move(meta)),
      servers_(*session_),
      slots_(*session_),
      log_(*session_),
      history_(*session_),
      meta_row_(session_->connection(), "SELECT epoch, schema, oldest FROM meta") {}

absl::StatusOr<StoreView> SqliteStore::Read() {
  StoreView view;
  const absl::Status done = session_->Read([&] {
    view = {};
    view.meta = meta_;
    int code = meta_row_.ForEach([&] {
      view.meta.epoch = static_cast<uint64_t>(meta_row_.Int(0));
      view.meta.schema = static_cast<int>(meta_row_.Int(1));
      view.meta.oldest = static_cast<int>(meta_row_.Int(2));
    });
    if (code == SQLITE_OK) code = servers_.List(view.servers);
    if (code == SQLITE_OK) code = slots_.List(view.slots);
    return code;
  });
  if (!done.ok()) return done;
  if (view.meta.oldest > schema_.version()) {
    return absl::FailedPreconditionError(
        fmt::format("{} was changed by a newer program: it must know version {} of the tables, and this one "
                    "knows {}; install the newer one",
                    name(), view.meta.oldest, schema_.version()));
  }
  return view;
}

}  // namespace hubbub::chat
