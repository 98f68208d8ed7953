#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/base/string_map.h"

namespace hubbub::chat {

// Results of recent sends by client-chosen id, so that a retry gets the first answer and is not delivered
// twice. Bounded in number, in all and for each user, and in age; the oldest go first. Not thread-safe: the
// room's lock guards it.
class RecentIds {
 public:
  struct Limits {
    size_t max_ids = 16'384;
    size_t max_ids_of_user = 2'048;  // So that nobody makes the room forget what others have sent.
    int64_t max_age_ms = 300'000;
  };
  struct Sent {
    uint64_t epoch = 0;  // Of the event: a room that was restored knows sends of its life before.
    uint64_t offset = 0;
    int64_t time_ms = 0;  // As people were shown it.
    size_t recipients = 0;
    int64_t at_ms = 0;  // When it was sent, as SteadyNowMs: its age is judged by this.
  };

  // One send with its name.
  struct Entry {
    std::string from;
    std::string id;
    Sent sent;
  };

  // `limits` outlives this object.
  explicit RecentIds(const Limits& limits) : limits_(limits) {}

  // The send of this user by this id, if there was one that is not too old. `now_ms`: of the clock of
  // Sent::at_ms.
  std::optional<Sent> Find(std::string_view from, std::string_view id, int64_t now_ms);
  void Insert(std::string_view from, std::string_view id, const Sent& sent);
  // All of them, oldest first.
  std::vector<Entry> Entries() const;
  void Expire(int64_t now_ms);
  // Drops the oldest, until the others take no more memory than this.
  void ShrinkTo(size_t max_bytes);

  size_t size() const { return state_ == nullptr ? 0 : state_->by_key.size(); }
  // Memory, roughly.
  size_t bytes() const { return state_ == nullptr ? 0 : state_->bytes; }

 private:
  struct Kept {
    std::string key;
    Sent sent;
  };
  using Place = std::list<Kept>::iterator;
  struct State {
    std::list<Kept> oldest_first;
    StringMap<Place> by_key;
    StringMap<std::deque<Place>> by_user;  // Each oldest first.
    size_t bytes = 0;
  };
  static constexpr size_t kBytesPerId = 200;  // The containers' share, beside twice the key.

  void PopOldest();
  void PopOldestOf(std::string_view user);

  const Limits& limits_;
  std::unique_ptr<State> state_;  // Null while there are none: most rooms never see an id.
};

}  // namespace hubbub::chat
