#include "chat/store/postgres_log.h"

#include <algorithm>
#include <map>
#include <utility>

namespace hubbub::chat {
namespace {

// `f` are the slots that still are ours, locked until the commit so that no claim comes between: FOR KEY
// SHARE would not stop one. $1, $2: slots and generations; $3 to $11: the events' columns.
constexpr PostgresStatement kAppend{"append", R"(
WITH f AS MATERIALIZED (SELECT s.slot, s.generation FROM slots s JOIN unnest($1::int[], $2::bigint[]) AS w(slot, generation)
                        ON s.slot = w.slot AND s.generation = w.generation ORDER BY s.slot FOR SHARE OF s),
     n AS MATERIALIZED (SELECT n.*, f.generation
                        FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
                                    $10::int[], $11::bytea[])
                             AS n(room, slot, o, t, sender, target, id, rec, content) JOIN f ON f.slot = n.slot),
     r AS (INSERT INTO rooms (room, slot) SELECT room, slot FROM n WHERE o = 1 ON CONFLICT DO NOTHING),
     e AS (INSERT INTO events (room, "offset", generation, time_ms, sender, target, id, recipients, content)
           SELECT room, o, generation, t, sender, target, id, rec, content FROM n
           ON CONFLICT (room, "offset") DO NOTHING RETURNING room, "offset")
SELECT slot, '' COLLATE "C", 0::bigint FROM f UNION ALL SELECT -1, room, "offset" FROM e)",
                                    true};

constexpr PostgresStatement kTrim{"trim", R"(
WITH x AS (SELECT LEAST($2, (SELECT COALESCE(max("offset"), 0) FROM events WHERE room = $1)) AS upto)
UPDATE rooms SET trimmed = x.upto FROM x WHERE room = $1 AND trimmed < x.upto)",
                                  true};

// All parts see the rows as they were before. Ids may yet be asked for those behind `reach` that have one and
// are younger than $3; each part reads no further than to its limit.
constexpr PostgresStatement kDeleteTrimmed{"delete_trimmed", R"(
WITH r AS (
       SELECT trimmed, (SELECT max(n."offset") FROM events n WHERE n.room = $1) - $4 AS reach
       FROM rooms WHERE room = $1),
     d AS (DELETE FROM events WHERE room = $1 AND "offset" IN (
             SELECT e."offset" FROM events e, r WHERE e.room = $1 AND e."offset" <= r.trimmed
               AND (e.id = '' OR e.time_ms <= $3 OR e."offset" <= r.reach)
             ORDER BY e."offset" LIMIT $2) RETURNING 1),
     s AS (UPDATE events SET content = ''::bytea, target = '' WHERE room = $1 AND "offset" IN (
             SELECT e."offset" FROM events e, r WHERE e.room = $1 AND e."offset" <= r.trimmed
               AND e.id <> '' AND e.time_ms > $3 AND e."offset" > r.reach
               AND (octet_length(e.content) > 0 OR e.target <> '')
             ORDER BY e."offset" LIMIT $2) RETURNING 1)
SELECT (SELECT count(*) FROM d) + (SELECT count(*) FROM s), EXISTS (
  SELECT 1 FROM events e, r WHERE e.room = $1 AND e."offset" <= r.trimmed
    AND e.id <> '' AND e.time_ms > $3 AND e."offset" > r.reach))",
                                           true};

// The columns of a batch, which point into it.
struct Columns {
  std::vector<std::string_view> room, sender, target, id, content;
  std::vector<int> slot, recipients;
  std::vector<int64_t> offset, time_ms;

  explicit Columns(const AppendBatch& batch) {
    for (const AppendBatch::Entry& entry : batch.events) {
      const LoggedEvent& event = entry.event;
      room.push_back(event.room);
      slot.push_back(entry.slot);
      offset.push_back(event.offset);
      time_ms.push_back(event.time_ms);
      sender.push_back(event.sender);
      target.push_back(event.target);
      id.push_back(event.id);
      recipients.push_back(event.recipients);
      content.push_back(event.content);
    }
  }
};

}  // namespace

absl::StatusOr<AppendAnswer> PostgresLog::Append(const AppendBatch& batch) {
  const Columns columns(batch);
  std::vector<int> slots;
  std::vector<int64_t> generations;
  for (const SlotGeneration& slot : batch.slots) {
    slots.push_back(slot.slot);
    generations.push_back(slot.generation);
  }
  PostgresParameters values;
  values.Ints(slots).Bigs(generations);
  values.Texts(columns.room).Ints(columns.slot).Bigs(columns.offset).Bigs(columns.time_ms);
  values.Texts(columns.sender)
      .Texts(columns.target)
      .Texts(columns.id)
      .Ints(columns.recipients)
      .Bytes(columns.content);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kAppend, values);
  if (!rows.ok()) return rows.status();

  AppendAnswer answer;
  answer.added.assign(batch.events.size(), false);
  std::map<std::pair<std::string_view, int64_t>, size_t> places;
  for (size_t i = 0; i < batch.events.size(); ++i)
    places.try_emplace({columns.room[i], columns.offset[i]}, i);
  for (int row = 0; row < rows->size(); ++row) {
    if (const int64_t slot = rows->Number(row, 0); slot >= 0) {
      answer.slots.push_back(static_cast<int>(slot));
    } else if (const auto place = places.find({rows->Text(row, 1), rows->Number(row, 2)});
               place != places.end()) {
      answer.added[place->second] = true;
    }
  }
  Remember(batch, answer);
  return answer;
}

// One event says it for all of its transaction.
void PostgresLog::Remember(const AppendBatch& batch, const AppendAnswer& answer) {
  for (size_t i = batch.events.size(); i-- > 0;) {
    const auto held = [&](int slot) {
      return std::find(answer.slots.begin(), answer.slots.end(), slot) != answer.slots.end();
    };
    const AppendBatch::Entry& entry = batch.events[i];
    if (!held(entry.slot)) continue;
    LoggedEvent known;
    known.room = entry.event.room;
    known.offset = entry.event.offset;
    known.time_ms = entry.event.time_ms;
    // A row that was there is known to be there, and no more.
    for (const SlotGeneration& slot : batch.slots) {
      if (answer.added[i] && slot.slot == entry.slot) known.generation = slot.generation;
    }
    session_.Acknowledged(known);
    return;
  }
}

absl::Status PostgresLog::Trim(std::string_view room, int64_t offset) {
  PostgresParameters values;
  values.Text(room).Big(offset);
  return session_.Run(kTrim, values).status();
}

absl::StatusOr<Deletion> PostgresLog::DeleteTrimmed(std::string_view room, int limit, int64_t since_ms) {
  PostgresParameters values;
  values.Text(room).Int(limit).Big(since_ms).Big(Store::kIdsReach);
  const absl::StatusOr<PostgresRows> rows = session_.Run(kDeleteTrimmed, values);
  if (!rows.ok()) return rows.status();
  return Deletion{.rows = static_cast<int>(rows->Number(0, 0)), .keeps_ids = rows->Flag(0, 1)};
}

}  // namespace hubbub::chat
