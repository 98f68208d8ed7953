#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/postgres_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// A PostgreSQL store's methods that read the log, as store.h has them. What is trimmed is not seen, be it
// deleted or not, but for Ids.
class PostgresReads {
 public:
  explicit PostgresReads(PostgresSession& session) : session_(session) {}

  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms);
  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after, int limit);
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head, int64_t since_ms);
  absl::StatusOr<HistoryPage> History(const HistoryQuery& query);
  absl::StatusOr<int64_t> OffsetAt(std::string_view room, int64_t time_ms);
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>& slots, std::string_view after,
                                              int limit);

 private:
  PostgresSession& session_;
};

}  // namespace hubbub::chat
