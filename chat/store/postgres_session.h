#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/interruptible_wait.h"
#include "chat/store/open_store.h"
#include "chat/store/postgres_connection.h"
#include "chat/store/postgres_schema.h"
#include "chat/store/postgres_settings.h"
#include "chat/store/postgres_values.h"
#include "chat/store/store.h"
#include "services/dns/resolver.h"

namespace hubbub::chat {

// What outlives a connection: opening it again, asking reads again, and knowing the store again. Used by one
// thread but for Interrupt.
class PostgresSession {
 public:
  PostgresSession(PostgresSettings settings, StoreOptions options, std::unique_ptr<dns::Resolver> resolver);

  // For the first time: makes the tables if necessary. FAILED_PRECONDITION also if the server refuses the
  // login.
  absl::Status Open();
  void Interrupt() {
    wait_.Interrupt();
    resolver_->Cancel();
  }
  const std::string& name() const { return settings_.name(); }

  // One statement, after connecting where necessary. Errors as store.h has them: UNKNOWN is only for what
  // writes; what reads is asked a second time and is UNAVAILABLE then.
  absl::StatusOr<PostgresRows> Run(const PostgresStatement& statement, const PostgresParameters& parameters);
  // Statements in one transaction that write.
  absl::StatusOr<PostgresRows> RunAll(const std::string& statements);

  // FAILED_PRECONDITION if this program must not write to a store that says `meta`.
  absl::Status Check(const StoreMeta& meta) const { return schema_.Check(meta, options_.suite, name()); }

  // What the store has acknowledged last. After a reconnect it must still have it: the log of PostgreSQL
  // loses only its end, so one that still has the last commit has lost none before. An event's generation 0:
  // only that it is there is known.
  void Acknowledged(const LoggedEvent& event);
  void Acknowledged(const SlotGeneration& claimed);

  int dead_holder_ms() const { return static_cast<int>(settings_.times().dead_holder.count()); }

 private:
  // A process of the server. Their numbers come back, so the time belongs to it.
  struct Backend {
    int64_t process = 0;
    int64_t started_us = 0;
  };

  template <typename Send>
  absl::StatusOr<PostgresRows> Repeat(bool writes, Send send);
  absl::Status Reconnect();
  absl::Status Recognize();
  void EndOldBackend();
  void EndDeadHolders();

  const PostgresSettings settings_;
  const StoreOptions options_;
  const PostgresSchema schema_;
  const std::unique_ptr<dns::Resolver> resolver_;
  InterruptibleWait wait_;
  PostgresConnection connection_;
  uint64_t epoch_ = 0;
  Backend backend_;             // Of the present connection.
  std::optional<Backend> old_;  // Of one that was lost with a statement out, and may still run it.
  LoggedEvent last_event_;      // Offset 0: none.
  SlotGeneration last_claim_{.slot = -1};
};

}  // namespace hubbub::chat
