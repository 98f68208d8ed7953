#include "chat/store/postgres_session.h"

#include <utility>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

// Of a store that was opened before: what it is, this connection's process, and whether the last acknowledged
// event and the last claim are there.
constexpr PostgresStatement kRecognize{"recognize", R"(
SELECT suite, slots, epoch, schema, oldest,
       (SELECT (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid()),
       $2 = 0 OR EXISTS (SELECT FROM rooms WHERE room = $1 AND trimmed >= $2)
              OR EXISTS (SELECT FROM events WHERE room = $1 AND "offset" = $2 AND ($3 = 0 OR (generation = $3 AND time_ms = $4))),
       NOT EXISTS (SELECT FROM slots WHERE slot = $5 AND generation < $6)
FROM meta)",
                                       false};

// One that waits for the standbys must not be ended: its commit would be seen before it is safe.
constexpr PostgresStatement kEndBackend{"end_backend", R"(
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2 AND wait_event IS DISTINCT FROM 'SyncRep')",
                                        true};

// Those that `$1` waits for, and those that they wait for; of them the ones that hold a lock and wait for a
// client that does not speak. No transaction of Hubbub's waits for its client, so that client is dead, or
// somebody's psql.
constexpr PostgresStatement kEndHolders{"end_holders", R"(
WITH RECURSIVE b(pid) AS (SELECT h.pid FROM unnest(pg_blocking_pids($1)) AS h(pid)
                          UNION SELECT h.pid FROM b, unnest(pg_blocking_pids(b.pid)) AS h(pid))
SELECT a.pid, pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN b ON a.pid = b.pid
WHERE a.usename = current_user AND a.datname = current_database() AND a.wait_event_type = 'Client'
  AND a.state <> 'idle' AND a.state_change < clock_timestamp() - $2 * interval '1 millisecond')",
                                        true};

}  // namespace

PostgresSession::PostgresSession(PostgresSettings settings, StoreOptions options,
                                 std::unique_ptr<dns::Resolver> resolver)
    : settings_(std::move(settings)),
      options_(std::move(options)),
      resolver_(std::move(resolver)),
      connection_(settings_, *resolver_, wait_) {}

absl::Status PostgresSession::Open() {
  absl::Status status = connection_.Connect();
  // Somebody must do something: it will not get better by waiting.
  if (absl::IsPermissionDenied(status)) return absl::FailedPreconditionError(std::string(status.message()));
  if (!status.ok()) return status;
  const absl::StatusOr<StoreMeta> meta = schema_.Prepare(connection_, options_, name());
  // Whatever became of the tables, nothing of a caller's is in doubt.
  if (absl::IsUnknown(meta.status())) return absl::UnavailableError(std::string(meta.status().message()));
  if (!meta.ok()) return meta.status();
  epoch_ = meta->epoch;
  return Recognize();
}

absl::StatusOr<PostgresRows> PostgresSession::Run(const PostgresStatement& statement,
                                                  const PostgresParameters& parameters) {
  return Repeat(statement.writes,
                [&] { return connection_.Run(statement, parameters, [this] { EndDeadHolders(); }); });
}

absl::StatusOr<PostgresRows> PostgresSession::RunAll(const std::string& statements) {
  return Repeat(true, [&] { return connection_.RunAll(statements, [this] { EndDeadHolders(); }); });
}

template <typename Send>
absl::StatusOr<PostgresRows> PostgresSession::Repeat(bool writes, Send send) {
  for (bool again = false;; again = true) {
    if (!connection_.Alive()) {
      if (absl::Status status = Reconnect(); !status.ok()) return status;
    }
    absl::StatusOr<PostgresRows> rows = send();
    if (rows.ok()) return rows;
    const absl::Status& status = rows.status();
    const bool lost = !connection_.Alive();
    if (lost && (absl::IsUnknown(status) || absl::IsCancelled(status))) old_ = backend_;
    const bool nothing_happened = absl::IsUnavailable(status) || (absl::IsUnknown(status) && !writes);
    if (nothing_happened && !again && (lost || !writes)) continue;
    if (absl::IsUnknown(status) && !writes) return absl::UnavailableError(std::string(status.message()));
    return rows;
  }
}

absl::Status PostgresSession::Reconnect() {
  absl::Status status = connection_.Connect();
  // A password that is being changed, or a database that is being restored, is right again soon.
  if (absl::IsPermissionDenied(status)) return absl::UnavailableError(std::string(status.message()));
  if (!status.ok()) return status;
  EndOldBackend();
  status = Recognize();
  if (!status.ok()) connection_.Close();
  if (absl::IsUnknown(status) || absl::IsInternal(status))
    return absl::UnavailableError(std::string(status.message()));
  return status;
}

absl::Status PostgresSession::Recognize() {
  PostgresParameters known;
  known.Text(last_event_.room).Big(last_event_.offset).Big(last_event_.generation).Big(last_event_.time_ms);
  known.Int(last_claim_.slot).Big(last_claim_.generation);
  const absl::StatusOr<PostgresRows> rows = connection_.Run(kRecognize, known);
  if (!rows.ok()) return rows.status();
  const auto replaced = [this](const std::string& how) {
    return absl::FailedPreconditionError(fmt::format(
        "{} was replaced or has gone back in time: {}. What rests on it must be read anew: open it again",
        name(), how));
  };
  if (rows->size() != 1) return replaced("its table meta is empty");
  const StoreMeta meta{.suite = std::string(rows->Text(0, 0)),
                       .slots = static_cast<int>(rows->Number(0, 1)),
                       .epoch = static_cast<uint64_t>(rows->Number(0, 2)),
                       .schema = static_cast<int>(rows->Number(0, 3)),
                       .oldest = static_cast<int>(rows->Number(0, 4))};
  if (meta.epoch != epoch_) return replaced(fmt::format("its epoch was {} and is {}", epoch_, meta.epoch));
  if (absl::Status status = Check(meta); !status.ok()) return status;
  if (!rows->Flag(0, 6)) {
    return replaced(fmt::format("it had acknowledged event {} of room {} and does not have it",
                                last_event_.offset, last_event_.room));
  }
  if (!rows->Flag(0, 7)) {
    return replaced(fmt::format("it had acknowledged generation {} of slot {} and does not have it",
                                last_claim_.generation, last_claim_.slot));
  }
  backend_ = {.process = connection_.backend(), .started_us = rows->Number(0, 5)};
  return absl::OkStatus();
}

void PostgresSession::EndOldBackend() {
  if (!old_) return;
  PostgresParameters which;
  which.Big(old_->process).Big(old_->started_us);
  // If it fails, TCP ends the old one, and the locks' waiters do.
  if (connection_.Run(kEndBackend, which).ok()) old_.reset();
}

void PostgresSession::EndDeadHolders() {
  PostgresConnection helper(settings_, *resolver_, wait_);
  if (!helper.Connect().ok()) return;
  PostgresParameters which;
  which.Int(connection_.backend()).Int(dead_holder_ms());
  const absl::StatusOr<PostgresRows> ended = helper.Run(kEndHolders, which);
  for (int row = 0; ended.ok() && row < ended->size(); ++row) {
    spdlog::warn(
        "{}: process {} of the server has held a lock for more than {} ms and waits for its client, which is "
        "taken for "
        "dead: it is ended",
        name(), ended->Number(row, 0), dead_holder_ms());
  }
}

void PostgresSession::Acknowledged(const LoggedEvent& event) {
  // Without what is not compared.
  last_event_.room = event.room;
  last_event_.offset = event.offset;
  last_event_.generation = event.generation;
  last_event_.time_ms = event.time_ms;
}

void PostgresSession::Acknowledged(const SlotGeneration& claimed) {
  last_claim_ = claimed;
}

}  // namespace hubbub::chat
