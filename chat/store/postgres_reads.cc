#include "chat/store/postgres_reads.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hubbub::chat {
namespace {

// The newest row is found by the key, whatever the room's size.
constexpr PostgresStatement kHeads{"heads", R"(
SELECT w.room, r.trimmed, e."offset", e.time_ms
FROM unnest($1::text[]) WITH ORDINALITY AS w(room, n) LEFT JOIN rooms r ON r.room = w.room
     LEFT JOIN LATERAL (SELECT "offset", time_ms FROM events WHERE room = r.room AND "offset" > r.trimmed
                        ORDER BY "offset" DESC LIMIT 1) e ON true
ORDER BY w.n)",
                                   false};

constexpr PostgresStatement kRooms{"rooms", R"(
SELECT r.room, r.trimmed, e."offset", e.time_ms
FROM rooms r LEFT JOIN LATERAL (SELECT "offset", time_ms FROM events WHERE room = r.room AND "offset" > r.trimmed
                                ORDER BY "offset" DESC LIMIT 1) e ON true
WHERE r.slot = ANY($1) AND r.room > $2 ORDER BY r.room LIMIT $3)",
                                   false};

constexpr PostgresStatement kRecent{"recent", R"(
SELECT e."offset", e.generation, e.time_ms, e.sender, e.target, e.id, e.recipients, e.content
FROM events e WHERE e.room = $1 AND e."offset" > GREATEST($2, (SELECT trimmed FROM rooms WHERE room = $1))
ORDER BY e."offset" DESC LIMIT $3)",
                                    false};

constexpr PostgresStatement kIds{"ids", R"(
SELECT e."offset", 0::bigint, e.time_ms, e.sender, ''::text, e.id, e.recipients, ''::bytea
FROM events e WHERE e.room = $1 AND e."offset" > $2 - 16384
  AND e."offset" <= $2 AND e.time_ms > $3 AND e.id <> ''
ORDER BY e."offset" DESC)",
                                 false};

// The page's rows, and one more with offset 0 that says between which offsets was looked, and what is
// trimmed. One page looks at 5,000 events at most. $2: before; $3: the user; $4: everything; $5: limit.
constexpr PostgresStatement kHistory{"history", R"(
WITH r AS MATERIALIZED (SELECT trimmed FROM rooms WHERE room = $1),
     h AS MATERIALIZED (SELECT COALESCE((SELECT max("offset") FROM events WHERE room = $1), 0) + 1 AS beyond),
     b AS MATERIALIZED (SELECT CASE WHEN $2 > 0 THEN LEAST($2, h.beyond) ELSE h.beyond END AS upper,
                               (SELECT trimmed FROM r) AS trimmed FROM h),
     p AS (SELECT e."offset", e.generation, e.time_ms, e.sender, e.target, e.id, e.recipients, e.content
           FROM events e WHERE e.room = $1 AND e."offset" < (SELECT upper FROM b)
             AND e."offset" >= (SELECT GREATEST(upper - 5000, trimmed + 1) FROM b)
             AND ($4 OR e.target = '' OR ($3 <> '' AND (e.target = $3 OR e.sender = $3)))
           ORDER BY e."offset" DESC LIMIT $5)
SELECT * FROM p UNION ALL SELECT 0, upper, COALESCE(trimmed, 0), '', '', '', 0, '' FROM b ORDER BY 1 DESC)",
                                     false};

// Offsets are dense above `trimmed` and times do not fall, so the interval is halved until nothing is left of
// it.
constexpr PostgresStatement kOffsetAt{"offset_at", R"(
WITH RECURSIVE s(lower, upper) AS (
  SELECT r.trimmed + 1, GREATEST(r.trimmed, (SELECT max("offset") FROM events WHERE room = $1)) + 1 FROM rooms r WHERE r.room = $1
  UNION ALL
  SELECT CASE WHEN x.older THEN x.middle + 1 ELSE x.lower END, CASE WHEN x.older THEN x.upper ELSE x.middle END
  FROM (SELECT s.lower, s.upper, (s.lower + s.upper) / 2 AS middle,
               COALESCE((SELECT e.time_ms < $2 FROM events e WHERE e.room = $1 AND e."offset" = (s.lower + s.upper) / 2), true)
                 AS older
        FROM s WHERE s.lower < s.upper) x)
SELECT lower FROM s WHERE lower >= upper)",
                                      false};

// A statement's answer, and what it locks in memory, is bounded.
constexpr size_t kHeadsAtOnce = 1000;
constexpr int64_t kPageReach = 5000;

void AddHeads(const PostgresRows& rows, std::vector<RoomHead>& heads) {
  for (int row = 0; row < rows.size(); ++row) {
    const int64_t trimmed = rows.Number(row, 1);
    heads.push_back({.room = std::string(rows.Text(row, 0)),
                     .head = std::max(trimmed, rows.Number(row, 2)),
                     .trimmed = trimmed,
                     .time_ms = rows.Number(row, 3)});
  }
}

LoggedEvent Event(std::string_view room, const PostgresRows& rows, int row) {
  return {.room = std::string(room),
          .offset = rows.Number(row, 0),
          .generation = rows.Number(row, 1),
          .time_ms = rows.Number(row, 2),
          .sender = std::string(rows.Text(row, 3)),
          .target = std::string(rows.Text(row, 4)),
          .id = std::string(rows.Text(row, 5)),
          .recipients = static_cast<int>(rows.Number(row, 6)),
          .content = std::string(rows.Text(row, 7))};
}

// The first `count` rows, which are the newest first, oldest first.
std::vector<LoggedEvent> OldestFirst(std::string_view room, const PostgresRows& rows, int count) {
  std::vector<LoggedEvent> events;
  events.reserve(static_cast<size_t>(count));
  for (int row = count; row-- > 0;) events.push_back(Event(room, rows, row));
  return events;
}

}  // namespace

absl::StatusOr<std::vector<RoomHead>> PostgresReads::Heads(const std::vector<std::string>& rooms) {
  std::vector<RoomHead> heads;
  heads.reserve(rooms.size());
  for (size_t first = 0; first < rooms.size(); first += kHeadsAtOnce) {
    const std::vector<std::string_view> some(
        rooms.begin() + static_cast<ptrdiff_t>(first),
        rooms.begin() + static_cast<ptrdiff_t>(std::min(rooms.size(), first + kHeadsAtOnce)));
    PostgresParameters values;
    values.Texts(some);
    const absl::StatusOr<PostgresRows> rows = session_.Run(kHeads, values);
    if (!rows.ok()) return rows.status();
    AddHeads(*rows, heads);
  }
  return heads;
}

absl::StatusOr<std::vector<LoggedEvent>> PostgresReads::Recent(std::string_view room, int64_t after,
                                                               int limit) {
  PostgresParameters values;
  values.Text(room).Big(after).Int(limit);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kRecent, values);
  if (!rows.ok()) return rows.status();
  return OldestFirst(room, *rows, rows->size());
}

absl::StatusOr<std::vector<LoggedEvent>> PostgresReads::Ids(std::string_view room, int64_t head,
                                                            int64_t since_ms) {
  PostgresParameters values;
  values.Text(room).Big(head).Big(since_ms);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kIds, values);
  if (!rows.ok()) return rows.status();
  return OldestFirst(room, *rows, rows->size());
}

absl::StatusOr<HistoryPage> PostgresReads::History(const HistoryQuery& query) {
  PostgresParameters values;
  values.Text(query.room).Big(query.before).Text(query.user).Bool(query.everything).Int(query.limit);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kHistory, values);
  if (!rows.ok()) return rows.status();
  HistoryPage page;
  if (rows->size() == 0) return page;
  const int bounds = rows->size() - 1;
  const int64_t upper = rows->Number(bounds, 1), trimmed = rows->Number(bounds, 2);
  page.events = OldestFirst(query.room, *rows, bounds);
  // A full page ends at its oldest event, another one where it has stopped to look.
  const int64_t reached =
      bounds >= query.limit && bounds > 0 ? page.events.front().offset : upper - kPageReach;
  if (reached > trimmed + 1) page.next_before = reached;
  return page;
}

absl::StatusOr<int64_t> PostgresReads::OffsetAt(std::string_view room, int64_t time_ms) {
  PostgresParameters values;
  values.Text(room).Big(time_ms);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kOffsetAt, values);
  if (!rows.ok()) return rows.status();
  return rows->size() == 0 ? 1 : rows->Number(0, 0);
}

absl::StatusOr<std::vector<RoomHead>> PostgresReads::Rooms(const std::vector<int>& slots,
                                                           std::string_view after, int limit) {
  PostgresParameters values;
  values.Ints(slots).Text(after).Int(limit);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kRooms, values);
  if (!rows.ok()) return rows.status();
  std::vector<RoomHead> heads;
  AddHeads(*rows, heads);
  return heads;
}

}  // namespace hubbub::chat
