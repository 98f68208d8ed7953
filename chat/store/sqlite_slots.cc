#include "chat/store/sqlite_slots.h"

#include <utility>

#include "chat/store/sqlite_json.h"

namespace hubbub::chat {
namespace {

// Steps through what an UPDATE … RETURNING slot, generation answers.
int Collect(SqliteStatement& update, std::vector<SlotGeneration>& got) {
  return update.ForEach([&] { got.push_back({static_cast<int>(update.Int(0)), update.Int(1)}); });
}

}  // namespace

SqliteSlots::SqliteSlots(SqliteSession& session)
    : session_(session),
      list_(session.connection(), "SELECT slot, owner, generation FROM slots ORDER BY slot"),
      // Not "its owner is not among those that live": a server without a row may be about to register.
      claim_(
          session.connection(),
          "UPDATE slots SET owner = ?1, generation = max(generation, ?2) + 1 "
          "WHERE slot IN (SELECT value FROM json_each(?3)) "
          "AND (owner = 0 OR EXISTS (SELECT 1 FROM servers d WHERE d.incarnation = slots.owner AND d.gone)) "
          "AND EXISTS (SELECT 1 FROM servers m WHERE m.incarnation = ?1 AND NOT m.gone) RETURNING slot, "
          "generation"),
      take_over_(session.connection(),
                 "UPDATE slots SET owner = ?1, generation = max(generation, ?2) + 1 "
                 "WHERE slot = ?3 AND owner = ?4 AND generation = ?5 "
                 "AND EXISTS (SELECT 1 FROM servers m WHERE m.incarnation = ?1 AND NOT m.gone) RETURNING "
                 "slot, generation"),
      keep_(session.connection(),
            "UPDATE slots SET generation = generation + 1 WHERE slot = ?1 AND owner = ?2 AND generation = ?3 "
            "RETURNING slot, generation") {}

int SqliteSlots::List(std::vector<StoredSlot>& slots) {
  return list_.ForEach([&] {
    slots.push_back({static_cast<int>(list_.Int(0)), static_cast<uint64_t>(list_.Int(1)), list_.Int(2)});
  });
}

absl::StatusOr<std::vector<SlotGeneration>> SqliteSlots::Claim(uint64_t owner, const std::vector<int>& slots,
                                                               int64_t greatest_heard) {
  const std::string json = JsonNumbers(slots);
  claim_.Bind(owner, greatest_heard, json);
  return Take([&](std::vector<SlotGeneration>& got) { return Collect(claim_, got); });
}

absl::StatusOr<std::vector<SlotGeneration>> SqliteSlots::TakeOver(uint64_t owner,
                                                                  const std::vector<SlotOffer>& offers,
                                                                  int64_t greatest_heard) {
  take_over_.Prepare();
  return Take([&](std::vector<SlotGeneration>& got) {
    int code = SQLITE_OK;
    for (const SlotOffer& offer : offers) {
      take_over_.Bind(owner, greatest_heard, offer.slot, offer.owner, offer.generation);
      code = Collect(take_over_, got);
      if (code != SQLITE_OK) break;
    }
    return code;
  });
}

absl::StatusOr<std::vector<SlotGeneration>> SqliteSlots::Keep(uint64_t owner,
                                                              const std::vector<SlotGeneration>& slots) {
  keep_.Prepare();
  return Take([&](std::vector<SlotGeneration>& got) {
    int code = SQLITE_OK;
    for (const SlotGeneration& slot : slots) {
      keep_.Bind(slot.slot, owner, slot.generation);
      code = Collect(keep_, got);
      if (code != SQLITE_OK) break;
    }
    return code;
  });
}

absl::StatusOr<std::vector<SlotGeneration>> SqliteSlots::Take(
    const std::function<int(std::vector<SlotGeneration>& got)>& work) {
  std::vector<SlotGeneration> got;
  const absl::Status done = session_.Write([&] { return work(got); });
  if (!done.ok()) return done;
  return got;
}

}  // namespace hubbub::chat
