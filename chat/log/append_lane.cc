#include "chat/log/append_lane.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

absl::Status NotOursAnyMore(std::string_view room) {
  return absl::AbortedError(fmt::format("room \"{}\" is another chat server's now: try again soon", room));
}

absl::Status NotKnown(std::string_view room) {
  return absl::UnknownError(
      fmt::format("room \"{}\" has changed its chat server while the message was being kept: send it again "
                  "with the same id",
                  room));
}

}  // namespace

AppendLane::AppendLane(const Limits& limits, std::unique_ptr<Store> store, const HeldSlots& slots,
                       RoomLines& lines, LogListener& listener, LogCounters& counters)
    : limits_(limits),
      store_(std::move(store)),
      slots_(slots),
      lines_(lines),
      listener_(listener),
      counters_(counters),
      max_events_(limits.max_events),
      pause_(limits.first_pause),
      thread_([this] { Run(); }) {}

void AppendLane::Wake(std::string_view room) {
  {
    const std::lock_guard lock(mu_);
    rooms_.emplace_back(room);
  }
  changed_.notify_all();
}

void AppendLane::Stop() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  changed_.notify_all();
  store_->Interrupt();
  if (thread_.joinable()) thread_.join();
}

void AppendLane::Run() {
  while (WaitForRoom()) {
    const LaneBatch batch = NextBatch();
    if (!batch.empty()) Send(batch);
  }
}

bool AppendLane::WaitForRoom() {
  std::unique_lock lock(mu_);
  changed_.wait(lock, [this] { return stopping_ || !rooms_.empty(); });
  return !stopping_;
}

LaneBatch AppendLane::NextBatch() {
  LaneBatch batch(max_events_, limits_.max_bytes);
  std::vector<std::string> rest;
  while (!batch.full()) {
    std::string room;
    {
      const std::lock_guard lock(mu_);
      if (rooms_.empty()) break;
      room = std::move(rooms_.front());
      rooms_.pop_front();
    }
    const LaneBatch::Added added = batch.Add(room, lines_, slots_);
    if (added == LaneBatch::Added::kLost) {
      Gather gather;
      RefuseLost(room, NotOursAnyMore(room), gather);
    }
    if (added != LaneBatch::Added::kSome) continue;
    rest.push_back(std::move(room));
    break;  // There is no space for the next one's either.
  }
  // A room with much to send comes after the others the next time.
  const std::lock_guard lock(mu_);
  for (std::string& room : rest) rooms_.push_back(std::move(room));
  return batch;
}

void AppendLane::Send(const LaneBatch& batch) {
  const auto began = std::chrono::steady_clock::now();
  for (bool in_doubt = false;; in_doubt = true) {
    const absl::StatusOr<AppendAnswer> answer = store_->Append(batch.rows());
    if (answer.ok()) {
      counters_.commits.Add();
      counters_.commit_micros.Add(static_cast<uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began)
              .count()));
      pause_ = limits_.first_pause;
      max_events_ = std::min(2 * max_events_, limits_.max_events);
      return Settle(batch, *answer, in_doubt);
    }
    counters_.errors.Add();
    const absl::Status& why = answer.status();
    // Of a batch that was sent before, no error says that the first sending has done nothing.
    const bool nothing_done = !in_doubt && !absl::IsUnknown(why) && !absl::IsCancelled(why);
    if (nothing_done) return NothingDone(batch, why);
    {
      const std::lock_guard lock(mu_);
      if (stopping_) return;
    }
    spdlog::warn("the store does not say whether {} messages were kept, asking again: {}", batch.size(),
                 std::string(why.message()));
    Pause();
    counters_.repeats.Add();
  }
}

void AppendLane::NothingDone(const LaneBatch& batch, const absl::Status& why) {
  if (absl::IsInternal(why)) {
    if (batch.size() == 1) {
      const LoggedEvent& event = batch.rows().events.front().event;
      spdlog::error("the store refuses a message of {} bytes to room \"{}\": {}", event.content.size(),
                    event.room, std::string(why.message()));
      counters_.refused.Add();
      {
        Gather gather;
        lines_.RefuseFirst(event.room,
                           absl::InternalError(
                               fmt::format("the store refuses this message: {}", std::string(why.message()))),
                           gather);
      }
      max_events_ = 1;
      return;
    }
    // Smaller batches, until what it refuses is by itself.
    max_events_ = batch.size() / 2;
    return PutBack(batch);
  }
  spdlog::warn("{} messages wait, because the store cannot keep them: {}", batch.size(),
               std::string(why.message()));
  PutBack(batch);
  Pause();
}

void AppendLane::Settle(const LaneBatch& batch, const AppendAnswer& answer, bool repeated) {
  std::vector<SlotGeneration> lost;
  std::vector<std::string> stale;
  {
    Gather gather;
    for (const LaneBatch::Part& part : batch.parts()) {
      if (std::find(answer.slots.begin(), answer.slots.end(), part.slot) == answer.slots.end()) {
        RefuseLost(part.room, repeated ? NotKnown(part.room) : NotOursAnyMore(part.room), gather);
        continue;
      }
      const auto first = answer.added.begin() + static_cast<ptrdiff_t>(part.first);
      const bool all_added = std::find(first, first + static_cast<ptrdiff_t>(part.count), false) ==
                             first + static_cast<ptrdiff_t>(part.count);
      // On a repeated sending, rows that are there are those of the first one.
      if (all_added || repeated) {
        lines_.Publish(part.room, part.last_offset, gather);
        counters_.events.Add(part.count);
        continue;
      }
      counters_.stale.Add();
      lines_.Refuse(part.room, NotKnown(part.room), NotOursAnyMore(part.room), gather);
      stale.push_back(part.room);
    }
    for (const SlotGeneration& slot : batch.rows().slots) {
      if (std::find(answer.slots.begin(), answer.slots.end(), slot.slot) != answer.slots.end()) continue;
      counters_.fenced.Add();
      RefuseQueued(slot.slot, gather);
      lost.push_back(slot);
    }
  }
  for (const SlotGeneration& slot : lost) listener_.OnSlotLost(slot.slot, slot.generation);
  for (const std::string& room : stale) listener_.OnRoomStale(room);
}

void AppendLane::RefuseLost(const std::string& room, const absl::Status& taken, Gather& gather) {
  lines_.Refuse(room, taken, NotOursAnyMore(room), gather);
}

void AppendLane::RefuseQueued(int slot, Gather& gather) {
  std::vector<std::string> queued;
  {
    const std::lock_guard lock(mu_);
    std::erase_if(rooms_, [&](const std::string& room) {
      if (slots_.SlotOf(room) != slot) return false;
      queued.push_back(room);
      return true;
    });
  }
  for (const std::string& room : queued) RefuseLost(room, NotOursAnyMore(room), gather);
}

void AppendLane::PutBack(const LaneBatch& batch) {
  for (const LaneBatch::Part& part : batch.parts()) lines_.PutBack(part.room);
  const std::lock_guard lock(mu_);
  for (auto part = batch.parts().rbegin(); part != batch.parts().rend(); ++part)
    rooms_.push_front(part->room);
}

void AppendLane::Pause() {
  const std::chrono::milliseconds pause = pause_;
  pause_ = std::min(2 * pause_, limits_.longest_pause);
  std::unique_lock lock(mu_);
  changed_.wait_for(lock, pause, [this] { return stopping_; });
}

}  // namespace hubbub::chat
