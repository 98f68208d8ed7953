#include "chat/store/postgres_slots.h"

#include <algorithm>

namespace hubbub::chat {
namespace {

// Behind what it got, with generation 0, are those that were free and that another transaction held.
constexpr PostgresStatement kClaim{"claim", R"(
WITH me AS MATERIALIZED (SELECT FROM servers WHERE incarnation = $1 AND NOT gone),
     free AS MATERIALIZED (SELECT s.slot FROM slots s WHERE s.slot = ANY($2) AND EXISTS (SELECT FROM me)
                           AND (s.owner = 0 OR EXISTS (SELECT FROM servers d WHERE d.incarnation = s.owner AND d.gone))),
     mine AS MATERIALIZED (SELECT s.slot FROM slots s WHERE s.slot = ANY($2) AND EXISTS (SELECT FROM me)
                           AND (s.owner = 0 OR EXISTS (SELECT FROM servers d WHERE d.incarnation = s.owner AND d.gone))
                           ORDER BY s.slot FOR UPDATE OF s SKIP LOCKED),
     got AS (UPDATE slots SET owner = $1, generation = GREATEST(generation, $3) + 1
             WHERE slot IN (SELECT slot FROM mine) RETURNING slot, generation)
SELECT slot, generation FROM got UNION ALL SELECT slot, 0 FROM free WHERE slot NOT IN (SELECT slot FROM got))",
                                   true};

// The same for slots that have been passed over for so long that their holder may be dead: while it waits,
// the session finds and ends those.
constexpr PostgresStatement kClaimWaiting{"claim_waiting", R"(
WITH me AS MATERIALIZED (SELECT FROM servers WHERE incarnation = $1 AND NOT gone),
     mine AS MATERIALIZED (SELECT s.slot FROM slots s WHERE s.slot = ANY($2) AND EXISTS (SELECT FROM me)
                           AND (s.owner = 0 OR EXISTS (SELECT FROM servers d WHERE d.incarnation = s.owner AND d.gone))
                           ORDER BY s.slot FOR UPDATE OF s)
UPDATE slots SET owner = $1, generation = GREATEST(generation, $3) + 1
WHERE slot IN (SELECT slot FROM mine) RETURNING slot, generation)",
                                          true};

// $2 to $4: the slots, and as what they are taken over. $6: also by one that is gone, which is what Keep may
// be.
constexpr PostgresStatement kTakeOver{"take_over", R"(
WITH mine AS MATERIALIZED (SELECT s.slot FROM slots s JOIN unnest($2::int[], $3::bigint[], $4::bigint[])
                           AS w(slot, owner, generation) ON s.slot = w.slot AND s.owner = w.owner AND s.generation = w.generation
                           WHERE $6 OR EXISTS (SELECT FROM servers m WHERE m.incarnation = $1 AND NOT m.gone)
                           ORDER BY s.slot FOR UPDATE OF s)
UPDATE slots SET owner = $1, generation = GREATEST(generation, $5) + 1
WHERE slot IN (SELECT slot FROM mine) RETURNING slot, generation)",
                                      true};

}  // namespace

absl::StatusOr<std::vector<SlotGeneration>> PostgresSlots::Claim(uint64_t owner,
                                                                 const std::vector<int>& slots,
                                                                 int64_t greatest_heard) {
  const bool waiting = StuckForLong();
  PostgresParameters values;
  values.Big(static_cast<int64_t>(owner)).Ints(slots).Big(greatest_heard);
  absl::StatusOr<std::vector<SlotGeneration>> got = Run(waiting ? kClaimWaiting : kClaim, values);
  if (!got.ok()) return got;
  const auto locked = std::stable_partition(got->begin(), got->end(),
                                            [](const SlotGeneration& s) { return s.generation > 0; });
  std::map<int, Clock::time_point> skipped;
  for (auto slot = locked; slot != got->end(); ++slot) {
    const auto since = skipped_.find(slot->slot);
    skipped[slot->slot] = since == skipped_.end() ? Clock::now() : since->second;
  }
  skipped_ = std::move(skipped);
  got->erase(locked, got->end());
  return got;
}

absl::StatusOr<std::vector<SlotGeneration>> PostgresSlots::TakeOver(uint64_t owner,
                                                                    const std::vector<SlotOffer>& offers,
                                                                    int64_t greatest_heard) {
  return Take(owner, offers, greatest_heard, false);
}

absl::StatusOr<std::vector<SlotGeneration>> PostgresSlots::Keep(uint64_t owner,
                                                                const std::vector<SlotGeneration>& slots) {
  std::vector<SlotOffer> mine;
  mine.reserve(slots.size());
  for (const SlotGeneration& slot : slots) mine.push_back({slot.slot, owner, slot.generation});
  return Take(owner, mine, 0, true);
}

absl::StatusOr<std::vector<SlotGeneration>> PostgresSlots::Take(uint64_t owner,
                                                                const std::vector<SlotOffer>& offers,
                                                                int64_t greatest_heard, bool even_if_gone) {
  std::vector<int> slots;
  std::vector<int64_t> owners, generations;
  for (const SlotOffer& offer : offers) {
    slots.push_back(offer.slot);
    owners.push_back(static_cast<int64_t>(offer.owner));
    generations.push_back(offer.generation);
  }
  PostgresParameters values;
  values.Big(static_cast<int64_t>(owner))
      .Ints(slots)
      .Bigs(owners)
      .Bigs(generations)
      .Big(greatest_heard)
      .Bool(even_if_gone);
  return Run(kTakeOver, values);
}

absl::StatusOr<std::vector<SlotGeneration>> PostgresSlots::Run(const PostgresStatement& statement,
                                                               const PostgresParameters& values) {
  const absl::StatusOr<PostgresRows> rows = session_.Run(statement, values);
  if (!rows.ok()) return rows.status();
  std::vector<SlotGeneration> got;
  for (int row = 0; row < rows->size(); ++row) {
    got.push_back({static_cast<int>(rows->Number(row, 0)), rows->Number(row, 1)});
    if (got.back().generation > 0) session_.Acknowledged(got.back());
  }
  std::sort(got.begin(), got.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return got;
}

bool PostgresSlots::StuckForLong() const {
  const auto limit = Clock::now() - std::chrono::milliseconds(session_.dead_holder_ms());
  return std::any_of(skipped_.begin(), skipped_.end(),
                     [&](const auto& slot) { return slot.second <= limit; });
}

}  // namespace hubbub::chat
