#include "chat/store/postgres_servers.h"

#include <string>

#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// One statement, so one moment. Servers that are gone are of interest while they own slots.
constexpr PostgresStatement kRead{"read", R"(
SELECT 0 AS kind, suite, '', '', slots::bigint AS n, epoch, schema::bigint, oldest::bigint, false, false FROM meta
UNION ALL SELECT 1, id, address, history, incarnation, beat, 0, 0, draining, gone FROM servers
          WHERE NOT gone OR incarnation IN (SELECT owner FROM slots)
UNION ALL SELECT 2, '', '', '', slot, owner, generation, 0, false, false FROM slots
ORDER BY kind, n)",
                                  false};

constexpr PostgresStatement kRenew{
    "renew", "UPDATE servers SET beat = beat + 1 WHERE incarnation = $1 AND NOT gone", true};

constexpr PostgresStatement kDraining{"draining", "UPDATE servers SET draining = $2 WHERE incarnation = $1",
                                      true};

// By the row as it is when its lock is had, so that of two marks at once both know.
constexpr PostgresStatement kMarkGone{
    "mark_gone", "UPDATE servers SET gone = gone OR beat = $2 WHERE incarnation = $1 RETURNING gone", true};

// The slots are locked in their order, as everywhere.
constexpr PostgresStatement kLeave{"leave", R"(
WITH mine AS MATERIALIZED (SELECT slot FROM slots WHERE owner = $1 ORDER BY slot FOR UPDATE),
     given AS (UPDATE slots SET owner = 0 WHERE slot IN (SELECT slot FROM mine))
UPDATE servers SET gone = true WHERE incarnation = $1 AND NOT gone)",
                                   true};

// Registrations come one after the other, or two could miss each other. The same number as in no other place.
constexpr char kRegisterLock[] = "SELECT pg_advisory_xact_lock(1752523373)";

}  // namespace

absl::StatusOr<StoreView> PostgresServers::Read() {
  const absl::StatusOr<PostgresRows> rows = session_.Run(kRead, {});
  if (!rows.ok()) return rows.status();
  StoreView view;
  for (int row = 0; row < rows->size(); ++row) {
    switch (rows->Number(row, 0)) {
      case 0:
        view.meta = {.suite = std::string(rows->Text(row, 1)),
                     .slots = static_cast<int>(rows->Number(row, 4)),
                     .epoch = static_cast<uint64_t>(rows->Number(row, 5)),
                     .schema = static_cast<int>(rows->Number(row, 6)),
                     .oldest = static_cast<int>(rows->Number(row, 7))};
        break;
      case 1:
        view.servers.push_back({.incarnation = static_cast<uint64_t>(rows->Number(row, 4)),
                                .id = std::string(rows->Text(row, 1)),
                                .address = std::string(rows->Text(row, 2)),
                                .history = std::string(rows->Text(row, 3)),
                                .beat = rows->Number(row, 5),
                                .draining = rows->Flag(row, 8),
                                .gone = rows->Flag(row, 9)});
        break;
      default:
        view.slots.push_back({.slot = static_cast<int>(rows->Number(row, 4)),
                              .owner = static_cast<uint64_t>(rows->Number(row, 5)),
                              .generation = rows->Number(row, 6)});
    }
  }
  if (absl::Status status = session_.Check(view.meta); !status.ok()) return status;
  return view;
}

absl::Status PostgresServers::Register(const StoredServer& server) {
  const auto me = static_cast<int64_t>(server.incarnation);
  const std::string id = QuoteLiteral(server.id), history = QuoteLiteral(server.history);
  // A repeat that comes late must not make the younger run gone, so nothing is done where this run is listed
  // already.
  const std::string allowed = fmt::format(
      "NOT EXISTS (SELECT FROM servers WHERE incarnation = {}) AND "
      "NOT EXISTS (SELECT FROM servers o WHERE NOT o.gone AND o.id <> {} AND o.history <> {})",
      me, id, history);
  // The row goes in first, marked by a beat that none has, so that the second statement knows whether it was
  // allowed.
  const absl::StatusOr<PostgresRows> rows = session_.RunAll(
      fmt::format("{lock}; INSERT INTO servers (incarnation, id, address, history, beat, draining, gone) "
                  "SELECT {me}, {id}, {address}, {history}, -1, {draining}, false WHERE {allowed}; "
                  "UPDATE servers SET gone = true WHERE id = {id} AND NOT gone AND incarnation <> {me} "
                  "AND EXISTS (SELECT FROM servers WHERE incarnation = {me} AND beat = -1); "
                  "UPDATE servers SET beat = {beat} WHERE incarnation = {me} AND beat = -1; "
                  "SELECT EXISTS (SELECT FROM servers WHERE incarnation = {me}), "
                  "(SELECT o.id || ' (' || o.history || ')' FROM servers o WHERE NOT o.gone AND o.history <> "
                  "{history} LIMIT 1)",
                  fmt::arg("lock", kRegisterLock), fmt::arg("me", me), fmt::arg("id", id),
                  fmt::arg("address", QuoteLiteral(server.address)), fmt::arg("history", history),
                  fmt::arg("draining", server.draining ? "true" : "false"), fmt::arg("allowed", allowed),
                  fmt::arg("beat", server.beat)));
  if (!rows.ok()) return rows.status();
  // Without parameters the answer comes as text.
  if (rows->size() == 1 && rows->Text(0, 0) == "t") return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: this server keeps history in the mode {}, and another one of the suite does not: {}. "
                  "Start all with one mode",
                  session_.name(), server.history, rows->size() == 1 ? std::string(rows->Text(0, 1)) : ""));
}

absl::StatusOr<bool> PostgresServers::Renew(uint64_t incarnation) {
  PostgresParameters values;
  values.Big(static_cast<int64_t>(incarnation));
  const absl::StatusOr<PostgresRows> rows = session_.Run(kRenew, values);
  if (!rows.ok()) return rows.status();
  return rows->changed() == 1;
}

absl::Status PostgresServers::SetDraining(uint64_t incarnation, bool draining) {
  PostgresParameters values;
  values.Big(static_cast<int64_t>(incarnation)).Bool(draining);
  return session_.Run(kDraining, values).status();
}

absl::StatusOr<bool> PostgresServers::MarkGone(uint64_t incarnation, int64_t beat) {
  PostgresParameters values;
  values.Big(static_cast<int64_t>(incarnation)).Big(beat);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kMarkGone, values);
  if (!rows.ok()) return rows.status();
  return rows->size() == 0 || rows->Flag(0, 0);  // A run that is not listed is gone too.
}

absl::Status PostgresServers::Leave(uint64_t incarnation) {
  PostgresParameters values;
  values.Big(static_cast<int64_t>(incarnation));
  return session_.Run(kLeave, values).status();
}

}  // namespace hubbub::chat
