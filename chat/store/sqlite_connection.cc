#include "chat/store/sqlite_connection.h"

#include "chat/store/sqlite_error.h"

namespace hubbub::chat {

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, Mode mode,
                                                                         const std::string& vfs,
                                                                         std::string name) {
  // Without SQLite's own lock around each call: one thread at a time uses a connection.
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::kMake) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    const std::string detail = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
    sqlite3_close(handle);
    return SqliteError(code, SqlitePhase::kWork, name, detail);
  }
  // A database of somebody else's may hold functions and views; nothing of it is run.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return std::unique_ptr<SqliteConnection>(new SqliteConnection(handle, std::move(name)));
}

SqliteConnection::~SqliteConnection() {
  sqlite3_close(handle_);
}

bool SqliteConnection::Moved() {
  int moved = 0;
  return sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

void SqliteConnection::KeepFilesAtClose() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void SqliteStatement::Prepare() {
  code_ = SQLITE_OK;
  if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    return;
  }
  code_ = sqlite3_prepare_v3(connection_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
}

int SqliteStatement::Step() {
  if (statement_ == nullptr && code_ == SQLITE_OK) Prepare();
  if (code_ != SQLITE_OK) return code_;
  const int code = sqlite3_step(statement_);
  // Ended, so that it keeps no lock and no snapshot.
  if (code != SQLITE_ROW) sqlite3_reset(statement_);
  return code;
}

int SqliteStatement::Run() {
  return ForEach([] {});
}

std::string SqliteStatement::Bytes(int column) {
  const void* const bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

void SqliteStatement::BindOne(int index, std::string_view text) {
  // Null would be NULL.
  const char* const data = text.data() == nullptr ? "" : text.data();
  Note(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::BindOne(int index, const Blob& blob) {
  const char* const data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  Note(sqlite3_bind_blob64(statement_, index, data, blob.bytes.size(), SQLITE_STATIC));
}

}  // namespace hubbub::chat
