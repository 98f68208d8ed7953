#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/sqlite_history.h"
#include "chat/store/sqlite_log.h"
#include "chat/store/sqlite_schema.h"
#include "chat/store/sqlite_servers.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/sqlite_slots.h"
#include "chat/store/store.h"

namespace hubbub::chat {

struct SqliteOptions {
  std::string path;
  bool sync = true;
  std::string suite = "hubbub";
  int slots = 1024;    // Of a store that is made.
  uint64_t epoch = 0;  // As StoreOptions has them.
  bool make = true;
  std::stop_token stop = {};
  // For tests: the file system's name, and other versions of the tables, which must outlive the store.
  std::string vfs = {};
  const std::vector<SqliteStep>* steps = &SqliteSchema::Steps();
};

// A connection to a store in a file of SQLite's, for the programs of one machine.
class SqliteStore : public Store {
 public:
  // Makes the file if there is none. Of a file that it refuses it changes nothing.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const SqliteOptions& options);

  void Interrupt() override { session_->Interrupt(); }
  const std::string& name() const override { return session_->name(); }
  int writers() const override { return 1; }
  absl::StatusOr<StoreView> Read() override;

  absl::Status Register(const StoredServer& server) override { return servers_.Register(server); }
  absl::StatusOr<bool> Renew(uint64_t incarnation) override { return servers_.Renew(incarnation); }
  absl::Status SetDraining(uint64_t incarnation, bool draining) override {
    return servers_.SetDraining(incarnation, draining);
  }
  absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat) override {
    return servers_.MarkGone(incarnation, beat);
  }
  absl::Status Leave(uint64_t incarnation) override { return servers_.Leave(incarnation); }

  absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t owner, const std::vector<int>& slots,
                                                    int64_t greatest_heard) override {
    return slots_.Claim(owner, slots, greatest_heard);
  }
  absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t owner, const std::vector<SlotOffer>& offers,
                                                       int64_t greatest_heard) override {
    return slots_.TakeOver(owner, offers, greatest_heard);
  }
  absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t owner,
                                                   const std::vector<SlotGeneration>& slots) override {
    return slots_.Keep(owner, slots);
  }

  absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch) override { return log_.Append(batch); }
  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms) override {
    return log_.Heads(rooms);
  }
  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after, int limit) override {
    return history_.Recent(room, after, limit);
  }
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head,
                                               int64_t since_ms) override {
    return history_.Ids(room, head, since_ms);
  }
  absl::StatusOr<HistoryPage> History(const HistoryQuery& query) override { return history_.Page(query); }
  absl::StatusOr<int64_t> OffsetAt(std::string_view room, int64_t time_ms) override {
    return history_.OffsetAt(room, time_ms);
  }

  absl::Status Trim(std::string_view room, int64_t offset) override { return log_.Trim(room, offset); }
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view room, int limit, int64_t since_ms) override {
    return log_.DeleteTrimmed(room, limit, since_ms);
  }
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>& slots, std::string_view after,
                                              int limit) override {
    return log_.Rooms(slots, after, limit);
  }

 private:
  SqliteStore(std::unique_ptr<SqliteSession> session, SqliteSchema schema, StoreMeta meta);

  const std::unique_ptr<SqliteSession> session_;
  const SqliteSchema schema_;
  const StoreMeta meta_;  // As it was when this was opened.
  SqliteServers servers_;
  SqliteSlots slots_;
  SqliteLog log_;
  SqliteHistory history_;
  SqliteStatement meta_row_;
};

}  // namespace hubbub::chat
