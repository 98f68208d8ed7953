#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/postgres_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// A PostgreSQL store's methods about chat servers, as store.h has them.
class PostgresServers {
 public:
  explicit PostgresServers(PostgresSession& session) : session_(session) {}

  absl::StatusOr<StoreView> Read();
  absl::Status Register(const StoredServer& server);
  absl::StatusOr<bool> Renew(uint64_t incarnation);
  absl::Status SetDraining(uint64_t incarnation, bool draining);
  absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat);
  absl::Status Leave(uint64_t incarnation);

 private:
  PostgresSession& session_;
};

}  // namespace hubbub::chat
