#include "chat/store/sqlite_log.h"

#include <algorithm>
#include <unordered_map>

#include "chat/store/sqlite_json.h"

namespace hubbub::chat {
namespace {

// Of the trimmed events of room ?1 those whose ids Ids may yet be asked for, with ?2 for its `since_ms` and
// ?3 for Store::kIdsReach, are emptied and kept; the others are deleted.
constexpr char kDelete[] = R"(
DELETE FROM events WHERE room = ?1 AND "offset" IN (
  SELECT "offset" FROM events WHERE room = ?1 AND "offset" <= (SELECT trimmed FROM rooms WHERE room = ?1)
    AND (id = '' OR time_ms <= ?2 OR "offset" <= (SELECT max("offset") FROM events WHERE room = ?1) - ?3)
  ORDER BY "offset" LIMIT ?4))";
constexpr char kEmpty[] = R"(
UPDATE events SET content = x'', target = '' WHERE room = ?1 AND "offset" IN (
  SELECT "offset" FROM events WHERE room = ?1 AND "offset" <= (SELECT trimmed FROM rooms WHERE room = ?1)
    AND id <> '' AND time_ms > ?2 AND "offset" > (SELECT max("offset") FROM events WHERE room = ?1) - ?3
    AND (length(content) > 0 OR target <> '')
  ORDER BY "offset" LIMIT ?4))";
constexpr char kKept[] = R"(
SELECT 1 FROM events WHERE room = ?1 AND "offset" <= (SELECT trimmed FROM rooms WHERE room = ?1)
  AND id <> '' AND time_ms > ?2 AND "offset" > (SELECT max("offset") FROM events WHERE room = ?1) - ?3 LIMIT 1)";

// Of the columns that follow one another from `column` on: trimmed, and the newest event's offset and time.
RoomHead HeadOf(std::string room, SqliteStatement& row, int column) {
  RoomHead head;
  head.room = std::move(room);
  head.trimmed = row.Int(column);
  const int64_t newest = row.Int(column + 1);  // NULL is 0: no event is kept.
  head.head = std::max(head.trimmed, newest);
  head.time_ms = newest > head.trimmed ? row.Int(column + 2) : 0;
  return head;
}

}  // namespace

SqliteLog::SqliteLog(SqliteSession& session)
    : session_(session),
      generation_(session.connection(), "SELECT 1 FROM slots WHERE slot = ? AND generation = ?"),
      insert_room_(session.connection(),
                   "INSERT INTO rooms (room, slot) VALUES (?, ?) ON CONFLICT (room) DO NOTHING"),
      insert_event_(session.connection(),
                    "INSERT INTO events (room, \"offset\", generation, time_ms, sender, target, id, "
                    "recipients, content) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, \"offset\") DO NOTHING"),
      head_(session.connection(),
            "SELECT r.trimmed, e.\"offset\", e.time_ms FROM rooms r LEFT JOIN events e ON e.room = r.room "
            "AND e.\"offset\" = (SELECT max(n.\"offset\") FROM events n WHERE n.room = r.room) WHERE r.room "
            "= ?"),
      trim_(session.connection(), "UPDATE rooms SET trimmed = ?2 WHERE room = ?1 AND trimmed < ?2"),
      delete_(session.connection(), kDelete),
      empty_(session.connection(), kEmpty),
      kept_(session.connection(), kKept),
      rooms_(session.connection(),
             "SELECT r.room, r.trimmed, e.\"offset\", e.time_ms FROM rooms r LEFT JOIN events e ON e.room = "
             "r.room "
             "AND e.\"offset\" = (SELECT max(n.\"offset\") FROM events n WHERE n.room = r.room) "
             "WHERE r.room > ?1 AND r.slot IN (SELECT value FROM json_each(?2)) ORDER BY r.room LIMIT ?3") {}

absl::StatusOr<AppendAnswer> SqliteLog::Append(const AppendBatch& batch) {
  generation_.Prepare();
  insert_room_.Prepare();
  insert_event_.Prepare();
  AppendAnswer answer;
  answer.slots.reserve(batch.slots.size());
  answer.added.assign(batch.events.size(), false);
  const absl::Status done = session_.Write([&] {
    for (const SlotGeneration& slot : batch.slots) {
      generation_.Bind(slot.slot, slot.generation);
      const int code = generation_.ForEach([&] { answer.slots.push_back(slot.slot); });
      if (code != SQLITE_OK) return code;
    }
    return answer.slots.empty() ? SQLITE_OK : InsertEvents(batch, answer);
  });
  if (!done.ok()) return done;
  return answer;
}

int SqliteLog::InsertEvents(const AppendBatch& batch, AppendAnswer& answer) {
  std::unordered_map<int, int64_t> generations;  // Of the slots that hold.
  for (size_t i = 0, held = 0; i < batch.slots.size() && held < answer.slots.size(); ++i) {
    if (batch.slots[i].slot != answer.slots[held]) continue;
    generations[batch.slots[i].slot] = batch.slots[i].generation;
    ++held;
  }
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const auto& [slot, event] = batch.events[i];
    const auto generation = generations.find(slot);
    if (generation == generations.end()) continue;
    if (event.offset == 1) {
      insert_room_.Bind(event.room, slot);
      if (const int code = insert_room_.Run(); code != SQLITE_OK) return code;
    }
    insert_event_.Bind(event.room, event.offset, generation->second, event.time_ms, event.sender,
                       event.target, event.id, event.recipients, SqliteStatement::AsBytes(event.content));
    if (const int code = insert_event_.Run(); code != SQLITE_OK) return code;
    answer.added[i] = insert_event_.Changes() > 0;
  }
  return SQLITE_OK;
}

absl::StatusOr<std::vector<RoomHead>> SqliteLog::Heads(const std::vector<std::string>& rooms) {
  std::vector<RoomHead> heads;
  const absl::Status done = session_.Read([&] {
    heads.clear();
    heads.reserve(rooms.size());
    for (const std::string& room : rooms) {
      heads.push_back({.room = room});
      head_.Bind(room);
      if (const int code = head_.ForEach([&] { heads.back() = HeadOf(room, head_, 0); }); code != SQLITE_OK)
        return code;
    }
    return SQLITE_OK;
  });
  if (!done.ok()) return done;
  return heads;
}

absl::Status SqliteLog::Trim(std::string_view room, int64_t offset) {
  trim_.Bind(room, offset);
  return session_.Write([&] { return trim_.Run(); });
}

absl::StatusOr<Deletion> SqliteLog::DeleteTrimmed(std::string_view room, int limit, int64_t since_ms) {
  Deletion deletion;
  const absl::Status done = session_.Write([&] {
    deletion = {};
    for (SqliteStatement* const statement : {&delete_, &empty_}) {
      statement->Bind(room, since_ms, Store::kIdsReach, limit);
      if (const int code = statement->Run(); code != SQLITE_OK) return code;
      deletion.rows += statement->Changes();
    }
    kept_.Bind(room, since_ms, Store::kIdsReach);
    return kept_.ForEach([&] { deletion.keeps_ids = true; });
  });
  if (!done.ok()) return done;
  return deletion;
}

absl::StatusOr<std::vector<RoomHead>> SqliteLog::Rooms(const std::vector<int>& slots, std::string_view after,
                                                       int limit) {
  const std::string json = JsonNumbers(slots);
  std::vector<RoomHead> rooms;
  const absl::Status done = session_.Read([&] {
    rooms.clear();
    rooms_.Bind(after, json, limit);
    return rooms_.ForEach([&] { rooms.push_back(HeadOf(rooms_.Bytes(0), rooms_, 1)); });
  });
  if (!done.ok()) return done;
  return rooms;
}

}  // namespace hubbub::chat
