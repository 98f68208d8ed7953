#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// The statements that read what was said. See Store, whose thread uses it.
class SqliteHistory {
 public:
  explicit SqliteHistory(SqliteSession& session);

  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after, int limit);
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head, int64_t since_ms);
  absl::StatusOr<HistoryPage> Page(const HistoryQuery& query);
  absl::StatusOr<int64_t> OffsetAt(std::string_view room, int64_t time_ms);

 private:
  // Of a room: events are those above `trimmed`, up to `head`.
  struct Range {
    int64_t trimmed = 0;
    int64_t head = 0;
  };
  int ReadRange(std::string_view room, Range& range);

  SqliteSession& session_;
  SqliteStatement range_;
  SqliteStatement recent_;
  SqliteStatement ids_;
  SqliteStatement page_;
  SqliteStatement time_;
};

}  // namespace hubbub::chat
