#include "chat/cluster/hand_over.h"

#include <algorithm>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "services/base/clock.h"
#include "services/base/slot.h"
#include "services/rpc/retry.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

size_t BytesOf(const RoomState& room) {
  size_t bytes = room.room.size() + 64;
  for (const RoomState::Place& p : room.places)
    bytes += p.user.size() + p.connector.size() + p.token.size() + 40;
  for (const KeptNames::Entry& entry : room.kept) bytes += entry.user.size() + 32;
  for (const EventPtr& event : room.recent_events) bytes += event->wire_bytes();
  for (const auto& [epoch, events] : room.earlier) {
    for (const auto& [offset, event] : events) bytes += event->wire_bytes();
  }
  for (const RecentIds::Entry& send : room.recent_ids) bytes += send.from.size() + send.id.size() + 40;
  return bytes;
}

}  // namespace

void HandOver::Tick(int64_t now_ms) {
  if (stopped_) return;
  struct Step {
    std::string server;
    BatchPtr batch;
    bool take_back = false;
  };
  std::vector<Step> steps;
  StringMap<std::vector<int>> to_give = slots_.ToGive();
  {
    MutexLock lock(mu_);
    for (auto& [server, line] : lines_) {
      if (line.batch == nullptr || line.under_way || now_ms < line.not_before_ms) continue;
      line.under_way = true;
      line.unclear |= now_ms - line.since_ms >= kUnclearMs || !slots_.Lives(line.taker);
      steps.push_back({server, line.batch, line.unclear});
    }
    // The slots of a batch that freezes are closed, so they are not among those to give; it goes on all the
    // same.
    for (const auto& [server, line] : lines_) {
      if (line.freezing != nullptr) to_give.try_emplace(server);
    }
    for (const auto& [server, slots] : to_give) {
      if (Begin(server, slots, now_ms)) steps.push_back({server, lines_[server].batch});
    }
  }
  for (const Step& step : steps) {
    if (step.take_back) {
      TakeBack(step.server, step.batch);
    } else {
      Offer(step.server, step.batch);
    }
  }
}

bool HandOver::Begin(const std::string& server, const std::vector<int>& slots, int64_t now_ms) {
  Line& line = lines_[server];
  if (line.batch != nullptr || now_ms < line.not_before_ms) return false;
  if (line.freezing == nullptr) {
    line.taker = slots_.LivingRun(server);
    if (line.taker == 0) return false;
    line.since_ms = now_ms;
    BeginBatch(slots, line);
  }
  if (line.freezing == nullptr || !GoOnFreezing(line, now_ms)) return false;
  line.batch = std::exchange(line.freezing, nullptr);
  line.since_ms = now_ms;
  line.under_way = true;
  line.unclear = false;
  line.repeated = false;
  return true;
}

void HandOver::BeginBatch(const std::vector<int>& slots, Line& line) {
  const int count = slots_.slots();
  const std::vector<size_t> rooms = rooms_.CountBySlot(count);
  std::vector<int> empty;
  std::vector<int> full;
  for (const int slot : slots) (rooms[static_cast<size_t>(slot)] == 0 ? empty : full).push_back(slot);
  line.freezing = std::make_shared<Batch>();
  line.freezing->number = ++batches_;
  line.waits.clear();
  line.bytes = 0;
  const auto add = [&](const std::vector<int>& chosen) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const SlotGeneration& slot : slots_.Close(chosen)) {
      line.freezing->slots.push_back(slot);
      // After the slot is closed no room is made there; an empty one may have got some just before.
      for (const std::string& room : rooms_.InSlot(slot.slot, count)) Freeze(room, line);
    }
  };
  add(empty);
  for (size_t i = 0; i < full.size() && i < kMaxBatchSlots && line.bytes < kMaxBatchBytes; ++i)
    add({full[i]});
  if (line.freezing->slots.empty()) line.freezing = nullptr;
}

void HandOver::Freeze(const std::string& room, Line& line) {
  bool waits = false;
  std::optional<RoomState> state = rooms_.moves().Freeze(room, &waits);
  if (waits) line.waits.push_back(room);
  if (!state) return;
  line.bytes += BytesOf(*state);
  if (line.bytes > kMostBytes) state->recent_events.clear();
  line.freezing->rooms.push_back(*std::move(state));
}

bool HandOver::GoOnFreezing(Line& line, int64_t now_ms) {
  for (const std::string& room : std::exchange(line.waits, {})) Freeze(room, line);
  if (line.waits.empty()) return true;
  if (now_ms - line.since_ms < kFreezeMs) return false;
  // The store is slow or away. The rooms go on here.
  for (const RoomState& room : line.freezing->rooms) rooms_.moves().Thaw(room.room);
  for (const std::string& room : line.waits) rooms_.moves().Thaw(room);
  slots_.Open(line.freezing->slots);
  line.freezing = nullptr;
  line.waits.clear();
  line.not_before_ms = now_ms + kPauseMs;
  return false;
}

void HandOver::Offer(const std::string& server, const BatchPtr& batch) {
  ++calls_;
  import_(server, batch, [this, server, batch](const absl::StatusOr<Taken>& answer) {
    OnAnswer(server, batch, answer);
    --calls_;
  });
}

void HandOver::TakeBack(const std::string& server, const BatchPtr& batch) {
  ++calls_;
  keep_(batch->slots, [this, server, batch](const absl::StatusOr<Taken>& kept) {
    OnKept(server, batch, kept);
    --calls_;
  });
}

void HandOver::OnAnswer(const std::string& server, const BatchPtr& batch,
                        const absl::StatusOr<Taken>& answer) {
  uint64_t taker = 0;
  {
    MutexLock lock(mu_);
    Line& line = lines_[server];
    if (line.batch != batch) return;  // Forgotten since.
    line.under_way = false;
    taker = line.taker;
    if (rpc::OutcomeOfCall(answer.status()) == rpc::Outcome::kUnknown) {
      line.repeated = true;  // By the next tick.
      return;
    }
    const bool all = answer.ok() && answer->size() == batch->slots.size();
    if (!all && line.repeated) {
      // What it says now is not what it did when it was asked first, perhaps in another run.
      line.unclear = true;
      return;
    }
    if (!all) line.not_before_ms = SteadyNowMs() + kPauseMs;
    if (!all && !std::exchange(line.refused, true)) {
      spdlog::info("chat server {} does not take all slots yet: {}", server,
                   answer.ok() ? "it could not claim them" : std::string(answer.status().message()));
    }
    if (all) {
      line.refused = false;
      line.not_before_ms = 0;
    }
    // The line holds the batch until its rooms are settled.
    line.under_way = true;
  }
  Taken taken = answer.ok() ? *answer : Taken{};
  std::vector<SlotGeneration> kept;
  for (const SlotGeneration& slot : batch->slots) {
    const bool gone =
        std::any_of(taken.begin(), taken.end(), [&](const SlotGeneration& t) { return t.slot == slot.slot; });
    if (!gone) kept.push_back(slot);
  }
  Settle(server, *batch, taker, taken, kept);
  if (Finish(server, batch)) Tick(SteadyNowMs());
}

void HandOver::OnKept(const std::string& server, const BatchPtr& batch, const absl::StatusOr<Taken>& kept) {
  uint64_t taker = 0;
  {
    MutexLock lock(mu_);
    Line& line = lines_[server];
    if (line.batch != batch) return;
    line.under_way = false;
    taker = line.taker;
    line.not_before_ms = SteadyNowMs() + kPauseMs;
    // Without the store nobody can claim the slots either: they stay closed.
    if (!kept.ok()) return;
    line.under_way = true;
  }
  Taken taken;
  for (const SlotGeneration& slot : batch->slots) {
    const bool stays =
        std::any_of(kept->begin(), kept->end(), [&](const SlotGeneration& k) { return k.slot == slot.slot; });
    if (!stays) taken.push_back({.slot = slot.slot, .generation = slot.generation + 1});
  }
  Settle(server, *batch, taker, taken, *kept);
  (void)Finish(server, batch);
}

bool HandOver::Finish(const std::string& server, const BatchPtr& batch) {
  MutexLock lock(mu_);
  Line& line = lines_[server];
  if (line.batch != batch) return false;
  line.batch = nullptr;
  line.under_way = false;
  return line.not_before_ms == 0;
}

void HandOver::Settle(const std::string& server, const Batch& batch, uint64_t taker, const Taken& taken,
                      const std::vector<SlotGeneration>& kept) {
  // First the slots' owner, then the rooms: a room that is forgotten here is not made here again.
  slots_.Given(taken, taker);
  const int count = slots_.slots();
  absl::flat_hash_set<int> moved;
  for (const SlotGeneration& slot : taken) moved.insert(slot.slot);
  for (const RoomState& room : batch.rooms) {
    const int slot = SlotOf(room.room, count);
    if (moved.contains(slot)) {
      rooms_.moves().Moved(room.room, server);
    } else if (slots_.Held(slot) == 0) {
      rooms_.moves().Moved(room.room, slots_.OwnerOf(slot));  // It was lost meanwhile.
    } else {
      rooms_.moves().Thaw(room.room);
    }
  }
  slots_.Open(kept);
  if (!batch.rooms.empty() && !taken.empty())
    spdlog::info("{} slots are at chat server {} now, with {} rooms at most", taken.size(), server,
                 batch.rooms.size());
}

bool HandOver::Idle() const {
  MutexLock lock(mu_);
  return std::all_of(lines_.begin(), lines_.end(), [](const auto& entry) {
    return entry.second.batch == nullptr && entry.second.freezing == nullptr;
  });
}

void HandOver::Forget() {
  MutexLock lock(mu_);
  for (auto& [server, line] : lines_) {
    line.batch = nullptr;
    line.freezing = nullptr;
    line.under_way = false;
  }
}

}  // namespace hubbub::chat
