#include "chat/log/lane_batch.h"

#include <algorithm>
#include <utility>

#include "chat/log/logged_event.h"

namespace hubbub::chat {

LaneBatch::Added LaneBatch::Add(const std::string& room, RoomLines& lines, const HeldSlots& slots) {
  const int slot = slots.SlotOf(room);
  const auto known = std::find_if(rows_.slots.begin(), rows_.slots.end(),
                                  [slot](const SlotGeneration& s) { return s.slot == slot; });
  if (known == rows_.slots.end()) {
    const int64_t generation = slots.GenerationOf(slot);
    if (generation == 0) return Added::kLost;
    rows_.slots.push_back({.slot = slot, .generation = generation});
  }
  std::vector<RoomLines::Taken> taken;
  const bool more = lines.Take(room, max_events_ - size(), max_bytes_ - bytes_, taken);
  if (taken.empty()) return more ? Added::kSome : Added::kNone;
  parts_.push_back({.room = room,
                    .slot = slot,
                    .first = size(),
                    .count = taken.size(),
                    .last_offset = taken.back().event->offset});
  for (const RoomLines::Taken& one : taken) {
    bytes_ += one.event->text_bytes();
    rows_.events.push_back({.slot = slot, .event = ToLogged(*one.event, one.recipients)});
  }
  return more ? Added::kSome : Added::kAll;
}

}  // namespace hubbub::chat
