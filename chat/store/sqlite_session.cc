#include "chat/store/sqlite_session.h"

#include <algorithm>
#include <thread>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using std::chrono::microseconds;

constexpr microseconds kPoll{200};
// A process that was stopped inside its transaction keeps the lock until it goes on or dies. Meanwhile nobody
// burns a core: after a while one looks less often, and never less often than this.
constexpr microseconds kLongestPoll{5000};
constexpr microseconds kOthersTurn{500};
// Others that were not met for so long need no turn.
constexpr microseconds kMemory{100000};

}  // namespace

void SqliteSession::Interrupt() {
  interrupted_ = true;
  connection_->Interrupt();
}

absl::Status SqliteSession::Write(const std::function<int()>& work) {
  if (const absl::Status ready = Ready(); !ready.ok()) return ready;
  GiveWay();
  int code = Poll([this] { return connection_->Run("BEGIN IMMEDIATE"); });
  if (code == SQLITE_OK) code = work();
  if (code != SQLITE_OK) {
    const absl::Status error = Error(code, SqlitePhase::kWork);
    RollBack();
    return error;
  }
  code = Poll([this] { return connection_->Run("COMMIT"); });
  ended_ = Clock::now();
  if (code == SQLITE_OK) return absl::OkStatus();
  const absl::Status error = Error(code, SqlitePhase::kCommit);
  RollBack();
  return error;
}

absl::Status SqliteSession::Read(const std::function<int()>& work) {
  if (const absl::Status ready = Ready(); !ready.ok()) return ready;
  const int code = Poll([&] {
    int inner = connection_->Run("BEGIN");
    if (inner == SQLITE_OK) inner = work();
    if (inner == SQLITE_OK) inner = connection_->Run("COMMIT");
    // Not yet rolled back: the caller wants SQLite's words.
    if (SqliteIsBusy(inner)) RollBack();
    return inner;
  });
  if (code == SQLITE_OK) return absl::OkStatus();
  const absl::Status error = Error(code, SqlitePhase::kWork);
  RollBack();
  return error;
}

absl::Status SqliteSession::Alone(const char* sql) {
  if (const absl::Status ready = Ready(); !ready.ok()) return ready;
  const int code = Poll([&] { return connection_->Run(sql); });
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, SqlitePhase::kWork);
}

absl::Status SqliteSession::Ready() {
  if (interrupted_) return Error(SQLITE_INTERRUPT, SqlitePhase::kWork);
  // What is written into a file that nobody finds again is lost.
  if (connection_->Moved()) return Error(SQLITE_READONLY_DBMOVED, SqlitePhase::kWork);
  // If undoing failed, it is done now.
  RollBack();
  return absl::OkStatus();
}

int SqliteSession::Poll(const std::function<int()>& step) {
  const Clock::time_point start = Clock::now();
  for (;;) {
    if (interrupted_) return SQLITE_INTERRUPT;
    const int code = step();
    if (!SqliteIsBusy(code)) return code;
    met_ = Clock::now();
    const auto waited = std::chrono::duration_cast<microseconds>(met_ - start);
    std::this_thread::sleep_for(std::clamp(waited / 50, kPoll, kLongestPoll));
  }
}

absl::Status SqliteSession::Error(int code, SqlitePhase phase) {
  // For these SQLite has no words, because it was not asked.
  const bool own = code == SQLITE_INTERRUPT || code == SQLITE_READONLY_DBMOVED;
  return SqliteError(code, phase, name(), own ? sqlite3_errstr(code) : connection_->detail());
}

void SqliteSession::RollBack() {
  if (connection_->InTransaction()) connection_->Run("ROLLBACK");
}

void SqliteSession::GiveWay() {
  const Clock::time_point now = Clock::now();
  if (now - met_ < kMemory && now - ended_ < kOthersTurn)
    std::this_thread::sleep_for(kOthersTurn - (now - ended_));
}

}  // namespace hubbub::chat
