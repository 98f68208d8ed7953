#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "chat/rooms/event.h"
#include "chat/rooms/recent_events.h"
#include "chat/rooms/recent_ids.h"
#include "chat/rooms/room_limits.h"
#include "chat/rooms/room_state.h"
#include "chat/rooms/tokens.h"

namespace hubbub::chat {

// The newest event that a client has seen.
struct SeenPoint {
  uint64_t epoch = 0;
  uint64_t offset = 0;
};

// What one room keeps of its past: recent events, recent sends by id, and events of the earlier lives that
// its present one continues. Not thread-safe: the lock of the room's shard guards it. Times are SteadyNowMs.
class RoomPast {
 public:
  // `limits` outlives this object. `epoch`: that of the present life.
  RoomPast(uint64_t epoch, const RoomLimits& limits)
      : epoch_(epoch), recent_(limits.recent), changes_(limits.changes), ids_(limits.ids) {}

  // Adds the next event of the present life,
  void Append(EventPtr event) { recent_.Append(std::move(event)); }
  // or, in a room with a log, the next coming or going.
  void AppendChange(EventPtr change) { changes_.Append(std::move(change)); }
  std::optional<RecentIds::Sent> FindSend(std::string_view from, std::string_view id, int64_t now_ms) {
    return ids_.Find(from, id, now_ms);
  }
  void RememberSend(std::string_view from, std::string_view id, const RecentIds::Sent& sent) {
    ids_.Insert(from, id, sent);
  }

  // The events after `seen`, of the user's interest alone; nothing if some of them are not kept any more. A
  // message for the user alone is among them only if one of `tokens` is that of a place that the user had
  // when it was sent.
  std::optional<std::vector<EventPtr>> MissedBy(std::string_view user, SeenPoint seen,
                                                const ShownTokens& tokens) const;
  // All events after the claim's offset; of a life that is not known, all of the present one. With a log
  // these are messages, and comings and goings of `life` follow: those after the claim's change, or all if it
  // knows another life. Nothing if some are not kept any more.
  std::optional<std::vector<EventPtr>> MissedSince(const RoomClaim& claim, uint64_t life) const;

  // True if the present life continues that of `epoch`, which is another one.
  bool Continues(uint64_t epoch) const { return epoch != epoch_ && earlier_.contains(epoch); }
  // From now on the present life continues these. A send of theirs that comes again is answered, not
  // repeated.
  void GoOnFrom(const EarlierLives& earlier, int64_t now_ms);

  // Writes all of this into `state`, and reads it into a past that is empty.
  void Save(RoomState& state) const;
  void Load(const RoomState& state, int64_t now_ms);

  // Nothing is kept but comings and goings, which mean nothing to somebody who was not there.
  bool silent() const { return recent_.messages() == 0 && ids_.size() == 0 && earlier_.empty(); }
  // Comings and goings that are numbered apart do not count.
  bool empty() const { return recent_.empty() && ids_.size() == 0 && earlier_.empty(); }
  // Memory.
  size_t bytes() const { return recent_.bytes() + changes_.bytes() + ids_.bytes() + earlier_bytes_; }
  const RecentEvents& recent() const { return recent_; }
  // Forgets what is too old.
  void Expire(int64_t now_ms);
  // Forgets the events up to this offset, and not the ids of their sends.
  void ForgetEvents(uint64_t offset) { recent_.DropUpTo(offset); }
  // Forgets the oldest, until the rest takes no more memory than this: half of it is for events, a quarter
  // for comings and goings, and a quarter for ids.
  void ShrinkTo(size_t max_bytes);

 private:
  std::optional<std::vector<EventPtr>> Since(SeenPoint seen) const;
  // What is kept of an earlier life after `offset`, and all of the present one. Nothing if there is a gap.
  std::optional<std::vector<EventPtr>> SinceEarlier(const std::map<uint64_t, EventPtr>& life,
                                                    uint64_t offset) const;
  void ForgetEarlier();

  const uint64_t epoch_;
  RecentEvents recent_;
  RecentEvents changes_;
  RecentIds ids_;
  EarlierLives earlier_;
  size_t earlier_bytes_ = 0;
  int64_t earlier_ms_ = 0;  // When the last of them became known.
};

}  // namespace hubbub::chat
