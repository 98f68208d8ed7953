#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "chat/store/sqlite_connection.h"
#include "chat/store/sqlite_error.h"

namespace hubbub::chat {

// Transactions on a connection, and the turns that connections take. Used by one thread at a time but for
// Interrupt.
//
// SQLite's lock is not fair. Its own busy timeout sleeps ever longer, so that a process that writes all the
// time keeps others out for seconds. Here a session that waits tries again after 0.2 ms, and ever less often,
// down to every 5 ms. A session that has met another writer within 0.1 s leaves 0.5 ms between its own
// transactions.
class SqliteSession {
 public:
  explicit SqliteSession(std::unique_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}

  SqliteConnection& connection() { return *connection_; }
  const std::string& name() const { return connection_->name(); }

  // Makes the call that runs, and all later ones, end with CANCELLED. Thread-safe.
  void Interrupt();

  // Runs `work` between BEGIN IMMEDIATE and COMMIT, so that no other connection writes at the same time.
  // Rolls back if `work` returns an SQLite error. `work` must do nothing but run statements: other writers
  // wait.
  absl::Status Write(const std::function<int()>& work);
  // Runs `work`, all of whose statements read the state of one moment. If another connection is in the way,
  // runs `work` again, so `work` must begin by clearing its results.
  absl::Status Read(const std::function<int()>& work);
  // One statement, or setting, that waits for others but is in no transaction.
  absl::Status Alone(const char* sql);

 private:
  using Clock = std::chrono::steady_clock;

  absl::Status Ready();
  // Repeats `step` while others are in the way. SQLITE_INTERRUPT after Interrupt.
  int Poll(const std::function<int()>& step);
  absl::Status Error(int code, SqlitePhase phase);
  void RollBack();
  void GiveWay();

  const std::unique_ptr<SqliteConnection> connection_;
  std::atomic<bool> interrupted_{false};
  Clock::time_point met_{};    // When another writer was last in the way.
  Clock::time_point ended_{};  // When the last transaction that wrote ended.
};

}  // namespace hubbub::chat
