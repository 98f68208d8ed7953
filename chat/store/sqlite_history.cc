#include "chat/store/sqlite_history.h"

#include <algorithm>

namespace hubbub::chat {
namespace {

// How many offsets a page looks at: see Store.
constexpr int64_t kPageReach = 5000;

// A row of the columns in the order of the table, but for the room.
LoggedEvent EventOf(std::string_view room, SqliteStatement& row) {
  LoggedEvent event;
  event.room = room;
  event.offset = row.Int(0);
  event.generation = row.Int(1);
  event.time_ms = row.Int(2);
  event.sender = row.Bytes(3);
  event.target = row.Bytes(4);
  event.id = row.Bytes(5);
  event.recipients = static_cast<int>(row.Int(6));
  event.content = row.Bytes(7);
  return event;
}

}  // namespace

SqliteHistory::SqliteHistory(SqliteSession& session)
    : session_(session),
      range_(session.connection(),
             "SELECT r.trimmed, (SELECT max(e.\"offset\") FROM events e WHERE e.room = r.room) FROM rooms r "
             "WHERE r.room = ?"),
      recent_(session.connection(),
              "SELECT \"offset\", generation, time_ms, sender, target, id, recipients, content FROM events "
              "WHERE room = ?1 AND \"offset\" > max(?2, (SELECT trimmed FROM rooms WHERE room = ?1)) "
              "ORDER BY \"offset\" DESC LIMIT ?3"),
      ids_(session.connection(),
           "SELECT \"offset\", time_ms, sender, id, recipients FROM events WHERE room = ?1 AND \"offset\" > "
           "?2 - ?4 "
           "AND \"offset\" <= ?2 AND time_ms > ?3 AND id <> '' ORDER BY \"offset\""),
      page_(session.connection(),
            "SELECT \"offset\", generation, time_ms, sender, target, id, recipients, content FROM events "
            "WHERE room = ?1 AND \"offset\" < ?2 AND \"offset\" >= ?3 "
            "AND (?4 OR target = '' OR (?5 <> '' AND (target = ?5 OR sender = ?5))) ORDER BY \"offset\" DESC "
            "LIMIT ?6"),
      time_(session.connection(), "SELECT time_ms FROM events WHERE room = ? AND \"offset\" = ?") {}

int SqliteHistory::ReadRange(std::string_view room, Range& range) {
  range = {};
  range_.Bind(room);
  return range_.ForEach([&] {
    range.trimmed = range_.Int(0);
    range.head = std::max(range.trimmed, range_.Int(1));
  });
}

absl::StatusOr<std::vector<LoggedEvent>> SqliteHistory::Recent(std::string_view room, int64_t after,
                                                               int limit) {
  std::vector<LoggedEvent> events;
  const absl::Status done = session_.Read([&] {
    events.clear();
    recent_.Bind(room, after, limit);
    return recent_.ForEach([&] { events.push_back(EventOf(room, recent_)); });
  });
  if (!done.ok()) return done;
  std::reverse(events.begin(), events.end());
  return events;
}

absl::StatusOr<std::vector<LoggedEvent>> SqliteHistory::Ids(std::string_view room, int64_t head,
                                                            int64_t since_ms) {
  std::vector<LoggedEvent> events;
  const absl::Status done = session_.Read([&] {
    events.clear();
    ids_.Bind(room, head, since_ms, Store::kIdsReach);
    return ids_.ForEach([&] {
      LoggedEvent& event = events.emplace_back();
      event.room = room;
      event.offset = ids_.Int(0);
      event.time_ms = ids_.Int(1);
      event.sender = ids_.Bytes(2);
      event.id = ids_.Bytes(3);
      event.recipients = static_cast<int>(ids_.Int(4));
    });
  });
  if (!done.ok()) return done;
  return events;
}

absl::StatusOr<HistoryPage> SqliteHistory::Page(const HistoryQuery& query) {
  HistoryPage page;
  const absl::Status done = session_.Read([&] {
    page = {};
    Range range;
    if (const int code = ReadRange(query.room, range); code != SQLITE_OK) return code;
    const int64_t oldest = range.trimmed + 1;
    const int64_t before = query.before <= 0 ? range.head + 1 : std::min(query.before, range.head + 1);
    const int64_t from = std::max(before - kPageReach, oldest);
    if (from >= before) return SQLITE_OK;
    page_.Bind(query.room, before, from, query.everything, query.user, query.limit);
    const int code = page_.ForEach([&] { page.events.push_back(EventOf(query.room, page_)); });
    // A full page ends where its last event is.
    const bool full = !page.events.empty() && page.events.size() >= static_cast<size_t>(query.limit);
    const int64_t next = full ? page.events.back().offset : from;
    page.next_before = next > oldest ? next : 0;
    return code;
  });
  if (!done.ok()) return done;
  std::reverse(page.events.begin(), page.events.end());
  return page;
}

absl::StatusOr<int64_t> SqliteHistory::OffsetAt(std::string_view room, int64_t time_ms) {
  int64_t low = 1;
  const absl::Status done = session_.Read([&] {
    Range range;
    if (const int code = ReadRange(room, range); code != SQLITE_OK) return code;
    // Times do not fall and offsets are dense: all below `low` are older, none from `high` on is.
    low = range.trimmed + 1;
    for (int64_t high = range.head + 1; low < high;) {
      const int64_t middle = low + (high - low) / 2;
      bool older = false;  // A hole, which is not to be, counts as young: the search ends in any case.
      time_.Bind(room, middle);
      if (const int code = time_.ForEach([&] { older = time_.Int(0) < time_ms; }); code != SQLITE_OK)
        return code;
      (older ? low : high) = older ? middle + 1 : middle;
    }
    return SQLITE_OK;
  });
  if (!done.ok()) return done;
  return low;
}

}  // namespace hubbub::chat
