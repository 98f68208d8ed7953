#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// The statements that write the log, and those about rooms' heads. See Store, whose thread uses it.
class SqliteLog {
 public:
  explicit SqliteLog(SqliteSession& session);

  absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch);
  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms);
  absl::Status Trim(std::string_view room, int64_t offset);
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view room, int limit, int64_t since_ms);
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>& slots, std::string_view after,
                                              int limit);

 private:
  int InsertEvents(const AppendBatch& batch, AppendAnswer& answer);

  SqliteSession& session_;
  SqliteStatement generation_;
  SqliteStatement insert_room_;
  SqliteStatement insert_event_;
  SqliteStatement head_;
  SqliteStatement trim_;
  SqliteStatement delete_;
  SqliteStatement empty_;
  SqliteStatement kept_;
  SqliteStatement rooms_;
};

}  // namespace hubbub::chat
