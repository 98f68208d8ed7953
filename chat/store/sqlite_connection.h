#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace hubbub::chat {

// A connection of SQLite's library, which knows nothing of what the database holds. Used by one thread at a
// time but for Interrupt.
class SqliteConnection {
 public:
  enum class Mode { kRead, kWrite, kMake };

  // `name`: what errors call the file. `vfs`: SQLite's name of a file system; empty: the machine's own.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Mode mode,
                                                                const std::string& vfs, std::string name);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  sqlite3* handle() { return handle_; }
  const std::string& name() const { return name_; }
  // SQLite's words for the last error.
  std::string detail() const { return sqlite3_errmsg(handle_); }
  // Statements whose rows nobody wants. The answer is SQLite's code.
  int Run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }
  bool InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  bool ReadOnly() const { return sqlite3_db_readonly(handle_, "main") != 0; }
  // True if the path does not lead to the file any more that this connection has open.
  bool Moved();
  // Ends the statement that runs. Thread-safe.
  void Interrupt() { sqlite3_interrupt(handle_); }
  // When it is closed it leaves all files as they are.
  void KeepFilesAtClose();

 private:
  SqliteConnection(sqlite3* handle, std::string name) : handle_(handle), name_(std::move(name)) {}

  sqlite3* const handle_;
  const std::string name_;
};

// A statement that is prepared once, at its first use, and kept. All answers of type int are SQLite's codes.
class SqliteStatement {
 public:
  // `sql` must outlive this.
  SqliteStatement(SqliteConnection& connection, const char* sql) : connection_(connection), sql_(sql) {}
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Begins anew with these parameters. Text and bytes must stay until the statement is bound again or has
  // run.
  template <typename... Values>
  void Bind(const Values&... values) {
    Prepare();
    int index = 0;
    (BindOne(++index, values), ...);
  }
  // Prepares it, so that it need not be done in a transaction; ends it if it runs.
  void Prepare();

  // SQLITE_ROW, SQLITE_DONE or an error. Of the latter two the statement has ended.
  int Step();
  // Runs it to its end. SQLITE_OK or an error.
  int Run();
  // Runs it to its end, with `row()` at each row. SQLITE_OK or an error.
  template <typename Row>
  int ForEach(Row row) {
    int code = Step();
    for (; code == SQLITE_ROW; code = Step()) row();
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }

  // Of the row at which it stands.
  int64_t Int(int column) { return sqlite3_column_int64(statement_, column); }
  bool Null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string Bytes(int column);

  // How many rows the last statement that ran changed.
  int Changes() { return sqlite3_changes(connection_.handle()); }

 private:
  struct Blob {
    std::string_view bytes;
  };
  void BindOne(int index, int64_t value) { Note(sqlite3_bind_int64(statement_, index, value)); }
  void BindOne(int index, uint64_t value) { BindOne(index, static_cast<int64_t>(value)); }
  void BindOne(int index, int value) { BindOne(index, int64_t{value}); }
  void BindOne(int index, bool value) { BindOne(index, int64_t{value}); }
  void BindOne(int index, std::string_view text);
  void BindOne(int index, const std::string& text) { BindOne(index, std::string_view(text)); }
  void BindOne(int index, const Blob& blob);
  void Note(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

 public:
  // To be bound as bytes rather than as text.
  static Blob AsBytes(std::string_view bytes) { return Blob{bytes}; }

 private:
  SqliteConnection& connection_;
  const char* const sql_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;  // Of preparing and binding.
};

}  // namespace hubbub::chat
