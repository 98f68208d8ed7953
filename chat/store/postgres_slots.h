#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/store/postgres_session.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// A PostgreSQL store's methods about slots, as store.h has them.
class PostgresSlots {
 public:
  explicit PostgresSlots(PostgresSession& session) : session_(session) {}

  absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t owner, const std::vector<int>& slots,
                                                    int64_t greatest_heard);
  absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t owner, const std::vector<SlotOffer>& offers,
                                                       int64_t greatest_heard);
  absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t owner, const std::vector<SlotGeneration>& slots);

 private:
  using Clock = std::chrono::steady_clock;

  absl::StatusOr<std::vector<SlotGeneration>> Take(uint64_t owner, const std::vector<SlotOffer>& offers,
                                                   int64_t greatest_heard, bool even_if_gone);
  absl::StatusOr<std::vector<SlotGeneration>> Run(const PostgresStatement& statement,
                                                  const PostgresParameters& values);
  bool StuckForLong() const;

  PostgresSession& session_;
  // Slots that were free and locked when they were claimed last, and since when. At most as many as there
  // are.
  std::map<int, Clock::time_point> skipped_;
};

}  // namespace hubbub::chat
