#include "chat/log/retention.h"

#include <algorithm>

#include "spdlog/spdlog.h"

namespace hubbub::chat {

std::chrono::milliseconds Retention::Round(Store& store) {
  if (deleting_.empty()) DeleteOldIds();
  const absl::Status status = deleting_.empty() ? Look(store) : Delete(store);
  if (!status.ok() && !absl::IsCancelled(status))
    spdlog::warn("old messages cannot be deleted: {}", std::string(status.message()));
  return status.ok() && !deleting_.empty() ? kWhileDeleting : kPause;
}

absl::Status Retention::Look(Store& store) {
  if (walk_.empty()) walk_ = NextSlots();
  // What other servers have by now is theirs.
  std::erase_if(walk_, [this](const auto& slot) { return slots_.GenerationOf(slot.first) != slot.second; });
  std::vector<int> slots;
  for (const auto& [slot, generation] : walk_) slots.push_back(slot);
  if (slots.empty()) {
    after_.clear();
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<RoomHead>> rooms = store.Rooms(slots, after_, kRooms);
  if (!rooms.ok()) return rooms.status();
  for (const RoomHead& room : *rooms) {
    if (absl::Status status = LookAt(store, room); !status.ok()) return status;
    after_ = room.room;
  }
  if (rooms->size() < kRooms) {
    after_.clear();
    for (const auto& [slot, generation] : walk_) walked_[slot] = generation;
    walk_.clear();
  }
  return absl::OkStatus();
}

absl::Status Retention::LookAt(Store& store, const RoomHead& room) {
  int64_t trimmed = room.trimmed;
  if (options_.max_messages > 0) trimmed = std::max(trimmed, room.head - options_.max_messages);
  if (options_.max_age_ms > 0 && trimmed < room.head) {
    const absl::StatusOr<int64_t> kept = store.OffsetAt(room.room, clock_.NowMs() - options_.max_age_ms);
    if (!kept.ok()) return kept.status();
    trimmed = std::max(trimmed, *kept - 1);
  }
  if (trimmed == room.trimmed) {
    // Perhaps another server has ended before it could delete that.
    if (trimmed > 0 && IsNew(slots_.SlotOf(room.room))) Deleted(room.room);
    return absl::OkStatus();
  }
  if (absl::Status status = store.Trim(room.room, trimmed); !status.ok()) return status;
  Deleted(room.room);
  return absl::OkStatus();
}

absl::Status Retention::Delete(Store& store) {
  std::string& room = deleting_.back();
  const auto done = store.DeleteTrimmed(room, kRows, clock_.NowMs() - options_.repeats_ms);
  if (!done.ok()) return done.status();
  deleted_.Add(static_cast<uint64_t>(done->rows));
  if (done->rows >= kRows) return absl::OkStatus();
  const bool listed =
      std::any_of(keeping_.begin(), keeping_.end(), [&](const auto& one) { return one.second == room; });
  if (done->keeps_ids && !listed)
    keeping_.emplace_back(options_.steady_ms() + options_.repeats_ms, std::move(room));
  deleting_.pop_back();
  return absl::OkStatus();
}

void Retention::DeleteOldIds() {
  if (keeping_.empty() || keeping_.front().first > options_.steady_ms()) return;
  // By then other rooms may be another server's, whose walk has found them.
  std::string room = std::move(keeping_.front().second);
  keeping_.pop_front();
  if (slots_.GenerationOf(slots_.SlotOf(room)) != 0) Deleted(room);
}

std::map<int, int64_t> Retention::NextSlots() const {
  const bool keeps_all = options_.max_messages == 0 && options_.max_age_ms == 0;
  std::map<int, int64_t> next;
  for (int slot = 0; slot < slots_.slots(); ++slot) {
    const int64_t generation = slots_.GenerationOf(slot);
    if (generation != 0 && (IsNew(slot) || !keeps_all)) next.emplace(slot, generation);
  }
  return next;
}

bool Retention::IsNew(int slot) const {
  const auto walked = walked_.find(slot);
  return walked == walked_.end() || walked->second != slots_.GenerationOf(slot);
}

}  // namespace hubbub::chat
