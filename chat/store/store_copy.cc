#include "chat/store/store_copy.h"

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "services/base/random_id.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

// No id is wanted that is younger than this.
constexpr int64_t kAllAreOld = std::numeric_limits<int64_t>::max();

// Chat servers beat once a second.
constexpr std::chrono::milliseconds kBeats{5'000};
constexpr std::chrono::milliseconds kBetweenTries{200};
constexpr int kMostTries = 50;
constexpr int kRoomsAtOnce = 500;
// Messages of 32 KiB at most.
constexpr int64_t kMessagesAtOnce = 100;

absl::Status StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& answer) {
  return answer.status();
}

// Of a call that may be repeated, the first answer that is certain.
template <typename Call>
auto Certain(const StoreCopy::Wait& wait, Call call) {
  auto answer = call();
  for (int i = 0; i < kMostTries && absl::IsUnknown(StatusOf(answer)); ++i) {
    wait(kBetweenTries);
    answer = call();
  }
  return answer;
}

std::vector<int> AllOf(const StoreView& view) {
  std::vector<int> slots;
  for (const StoredSlot& slot : view.slots) slots.push_back(slot.slot);
  return slots;
}

int64_t GreatestGeneration(const StoreView& view) {
  int64_t greatest = 0;
  for (const StoredSlot& slot : view.slots) greatest = std::max(greatest, slot.generation);
  return greatest;
}

}  // namespace

absl::StatusOr<CopiedStore> StoreCopy::Run() {
  const absl::StatusOr<StoreView> source = from_.Read();
  if (!source.ok()) return source.status();
  const absl::StatusOr<StoreView> target = to_.Read();
  if (!target.ok()) return target.status();
  if (from_.name() == to_.name())
    return absl::FailedPreconditionError(fmt::format("{} cannot be copied to itself", from_.name()));
  if (target->meta.epoch != source->meta.epoch) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is a store already, and no copy of {}: name a database or a file that has no store yet",
        to_.name(), from_.name()));
  }
  for (Store* const store : {&from_, &to_}) {
    if (absl::Status status = ExpectNobody(*store); !status.ok()) return status;
  }
  const uint64_t incarnation = RandomId();
  const absl::StatusOr<Slots> fenced = TakeAll(from_, incarnation, 0);
  if (!fenced.ok()) return fenced.status();
  // Generations never fall along a room.
  absl::StatusOr<Slots> taken = TakeAll(to_, incarnation, GreatestGeneration(*source));
  if (!taken.ok()) return taken.status();
  slots_ = *std::move(taken);

  std::string after;
  for (bool more = true; more;) {
    const auto rooms = from_.Rooms(AllOf(*source), after, kRoomsAtOnce);
    if (!rooms.ok()) return rooms.status();
    for (const RoomHead& room : *rooms) {
      if (absl::Status status = CopyRoom(room); !status.ok()) return status;
      after = room.room;
    }
    more = !rooms->empty();
  }
  for (Store* const store : {&from_, &to_}) {
    const absl::Status left = Certain(wait_, [&] { return store->Leave(incarnation); });
    if (!left.ok()) return left;
  }
  return copied_;
}

absl::Status StoreCopy::ExpectNobody(Store& store) {
  const auto before = store.Read();
  if (!before.ok()) return before.status();
  std::vector<StoredServer> living;
  for (const StoredServer& server : before->servers) {
    if (!server.gone) living.push_back(server);
  }
  if (living.empty()) return absl::OkStatus();
  wait_(kBeats);
  for (const StoredServer& server : living) {
    const auto gone = Certain(wait_, [&] { return store.MarkGone(server.incarnation, server.beat); });
    if (!gone.ok()) return gone.status();
    if (*gone) continue;
    return absl::FailedPreconditionError(
        fmt::format("chat server \"{}\" at {} uses {}: stop all chat servers first", server.id,
                    server.address, store.name()));
  }
  return absl::OkStatus();
}

absl::StatusOr<StoreCopy::Slots> StoreCopy::TakeAll(Store& store, uint64_t incarnation, int64_t greatest) {
  const auto view = store.Read();
  if (!view.ok()) return view.status();
  const StoredServer self = {
      .incarnation = incarnation, .id = "store-copy", .address = "store-copy:0", .history = "durable"};
  if (absl::Status listed = Certain(wait_, [&] { return store.Register(self); }); !listed.ok()) return listed;
  Slots slots;
  for (int i = 0; i < kMostTries && slots.size() < view->slots.size(); ++i) {
    if (i > 0) wait_(kBetweenTries);
    const auto got = Certain(wait_, [&] { return store.Claim(incarnation, AllOf(*view), greatest); });
    if (!got.ok()) return got.status();
    // What a claim in doubt has got is in the table alone.
    const auto now = store.Read();
    if (!now.ok()) return now.status();
    slots.clear();
    for (const StoredSlot& slot : now->slots) {
      if (slot.owner == incarnation) slots.push_back({.slot = slot.slot, .generation = slot.generation});
    }
  }
  if (slots.size() == view->slots.size()) return slots;
  return absl::FailedPreconditionError(
      fmt::format("a chat server has begun to use {}: stop all chat servers first", store.name()));
}

absl::Status StoreCopy::CopyRoom(const RoomHead& room) {
  if (room.head == 0) return absl::OkStatus();
  const SlotGeneration slot = slots_[static_cast<size_t>(SlotOf(room.room, static_cast<int>(slots_.size())))];
  if (room.trimmed > 0) {
    if (absl::Status status = CopyTrimmed(room, slot); !status.ok()) return status;
  }
  for (int64_t next = room.trimmed + 1; next <= room.head; next += kMessagesAtOnce) {
    auto page = from_.History({.room = room.room,
                               .user = {},
                               .everything = true,
                               .before = next + kMessagesAtOnce,
                               .limit = static_cast<int>(kMessagesAtOnce)});
    if (!page.ok()) return page.status();
    std::erase_if(page->events, [&](const LoggedEvent& event) { return event.offset < next; });
    copied_.messages += page->events.size();
    if (absl::Status status = Append(slot, std::move(page->events)); !status.ok()) return status;
  }
  ++copied_.rooms;
  return absl::OkStatus();
}

absl::Status StoreCopy::CopyTrimmed(const RoomHead& room, SlotGeneration slot) {
  std::vector<LoggedEvent> stubs(room.trimmed == 1 ? 1 : 2);
  for (LoggedEvent& stub : stubs) stub.room = room.room;
  stubs.front().offset = 1;
  stubs.back().offset = room.trimmed;
  if (absl::Status status = Append(slot, std::move(stubs)); !status.ok()) return status;
  absl::Status trimmed = Certain(wait_, [&] { return to_.Trim(room.room, room.trimmed); });
  if (!trimmed.ok()) return trimmed;
  return Certain(wait_, [&] { return to_.DeleteTrimmed(room.room, 2, kAllAreOld); }).status();
}

absl::Status StoreCopy::Append(SlotGeneration slot, std::vector<LoggedEvent> events) {
  if (events.empty()) return absl::OkStatus();
  AppendBatch batch{.slots = {slot}, .events = {}};
  for (LoggedEvent& event : events) batch.events.push_back({.slot = slot.slot, .event = std::move(event)});
  const auto answer = Certain(wait_, [&] { return to_.Append(batch); });
  if (!answer.ok()) return answer.status();
  if (!answer->slots.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "a chat server has begun to use {}: stop it, remove what was copied, and copy again", to_.name()));
}

absl::StatusOr<CopiedStore> CopyStore(StoreOptions from, StoreOptions to) {
  from.make = false;
  const auto source = OpenStore(from);
  if (!source.ok()) return source.status();
  const auto view = (*source)->Read();
  if (!view.ok()) return view.status();
  to.epoch = view->meta.epoch;
  to.slots = view->meta.slots;
  const auto target = OpenStore(to);
  if (!target.ok()) return target.status();
  return StoreCopy(**source, **target,
                   [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); })
      .Run();
}

}  // namespace hubbub::chat
