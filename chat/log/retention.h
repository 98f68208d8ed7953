#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "chat/log/age_clock.h"
#include "chat/log/held_slots.h"
#include "chat/store/store.h"
#include "services/base/clock.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

// Walks through the rooms of this server's slots, over and over, and deletes the messages that are too many
// or too old, some at a time. Of a slot that is new here it also deletes what another server has trimmed and
// not deleted before it ended. Of messages that may yet be repeated it first deletes the text, and what knows
// them again when that time is over. For one thread, but for the counters.
class Retention {
 public:
  struct Options {
    int64_t max_messages = 100'000;  // Of a room; 0: any number.
    int64_t max_age_ms = 0;          // 0: any age.
    int64_t repeats_ms = 300'000;    // For so long a message may be repeated: RoomLoader reads ids so old.
    std::function<int64_t()> steady_ms = SteadyNowMs;
    std::function<int64_t()> system_ms = SystemNowMs;
  };
  static constexpr std::chrono::milliseconds kPause{1'000};

  // `slots` outlives this object.
  Retention(const HeldSlots& slots, Options options)
      : slots_(slots), options_(std::move(options)), clock_(options_.steady_ms, options_.system_ms) {}

  // Does a little, and answers when to go on.
  std::chrono::milliseconds Round(Store& store);
  // The room has messages that are trimmed and not deleted yet: it is next.
  void Deleted(const std::string& room) { deleting_.push_back(room); }

  // Rows that were deleted, or emptied first and deleted later.
  uint64_t deleted() const { return deleted_.value(); }

 private:
  absl::Status Look(Store& store);
  absl::Status LookAt(Store& store, const RoomHead& room);
  absl::Status Delete(Store& store);
  // Rooms of which ids were kept, and are too old by now, are next.
  void DeleteOldIds();
  // The slots that the next walk goes through, and the generations as which this server has them.
  std::map<int, int64_t> NextSlots() const;
  // No walk has gone through the slot since this server has it.
  bool IsNew(int slot) const;

  // At a time, so that nobody else waits for it for long.
  static constexpr int kRooms = 100;
  static constexpr int kRows = 1'000;
  static constexpr std::chrono::milliseconds kWhileDeleting{100};

  const HeldSlots& slots_;
  const Options options_;
  const AgeClock clock_;
  std::map<int, int64_t> walk_;    // As NextSlots; empty between two walks.
  std::string after_;              // The last room that was looked at.
  std::map<int, int64_t> walked_;  // The slots that were walked through before, and as which generation.
  std::vector<std::string> deleting_;
  std::deque<std::pair<int64_t, std::string>> keeping_;  // Rooms of which ids are kept, and until when.
  metrics::Counter deleted_;
};

}  // namespace hubbub::chat
