#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/postgres_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// A PostgreSQL store's methods that write to the log, as store.h has them.
class PostgresLog {
 public:
  explicit PostgresLog(PostgresSession& session) : session_(session) {}

  absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch);
  absl::Status Trim(std::string_view room, int64_t offset);
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view room, int limit, int64_t since_ms);

 private:
  void Remember(const AppendBatch& batch, const AppendAnswer& answer);

  PostgresSession& session_;
};

}  // namespace hubbub::chat
