#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/sqlite_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// The statements about slots. See Store, whose thread uses it.
class SqliteSlots {
 public:
  explicit SqliteSlots(SqliteSession& session);

  // In a transaction that reads. SQLite's code.
  int List(std::vector<StoredSlot>& slots);
  absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t owner, const std::vector<int>& slots,
                                                    int64_t greatest_heard);
  absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t owner, const std::vector<SlotOffer>& offers,
                                                       int64_t greatest_heard);
  absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t owner, const std::vector<SlotGeneration>& slots);

 private:
  absl::StatusOr<std::vector<SlotGeneration>> Take(
      const std::function<int(std::vector<SlotGeneration>& got)>& work);

  SqliteSession& session_;
  SqliteStatement list_;
  SqliteStatement claim_;
  SqliteStatement take_over_;
  SqliteStatement keep_;
};

}  // namespace hubbub::chat
