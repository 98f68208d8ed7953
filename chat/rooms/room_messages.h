#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/rooms/event.h"
#include "chat/rooms/place.h"
#include "chat/rooms/room_events.h"
#include "chat/rooms/room_limits.h"
#include "chat/rooms/room_members.h"
#include "chat/rooms/send_line.h"
#include "chat/rooms/send_waiter.h"
#include "services/base/rate_limit.h"

namespace hubbub::chat {

// What is said in one room. Without a log a send is checked, numbered, recorded and pushed at once. With a
// log it is checked and put in the room's line (proposed), numbered when a batch takes it, and recorded,
// pushed and answered when the log has it (published), all in the order of the line. Not thread-safe: the
// lock of the room's shard guards it.
class RoomMessages {
 public:
  struct Taken {
    EventPtr event;
    size_t recipients = 0;
  };

  // All outlive this object.
  RoomMessages(RoomMembers& members, RoomEvents& events, const RoomLimits& limits)
      : members_(members), events_(events), limits_(limits), fan_out_(limits.max_fan_out_per_second, {}) {}
  ~RoomMessages();
  RoomMessages(const RoomMessages&) = delete;
  RoomMessages& operator=(const RoomMessages&) = delete;

  // See Room::Send.
  absl::StatusOr<SendResult> Send(std::string_view from, std::string_view target, std::string_view content,
                                  int64_t now_ms, std::string_view id, PlaceId sender, Gather* gather,
                                  SendTicket* ticket);

  // Numbers the next proposals and adds them to `taken`: at most `max_events`, and no more than `max_bytes`
  // of text.
  void Take(size_t max_events, size_t max_bytes, int64_t now_ms, std::vector<Taken>& taken);
  // Publishes what is numbered, up to this offset, and adds what became of the sends.
  void Publish(uint64_t up_to, Gather& gather, std::vector<SendOutcome>& outcomes);
  // Nothing of what is numbered was done: it waits for another batch.
  void PutBack();
  // Takes the first proposal out of the line.
  void RefuseFirst(const absl::Status& why, std::vector<SendOutcome>& outcomes);
  // Takes all that is in no batch out of the line.
  void RefuseUnnumbered(const absl::Status& why, std::vector<SendOutcome>& outcomes);
  // Takes all out of the line: `numbered` is said of what is in a batch, `rest` of all behind it.
  void RefuseAll(const absl::Status& numbered, const absl::Status& rest, std::vector<SendOutcome>& outcomes);
  // What is in a batch and was proposed before `before_ms` stays there, but its senders get `why`.
  void GiveUp(int64_t before_ms, const absl::Status& why, std::vector<SendOutcome>& outcomes);

  // While somebody has closed it, new sends are ABORTED. Until those who were refused know it: what they have
  // sent behind that must not be proposed before they send both again.
  void Close() { ++closed_; }
  void Reopen() { --closed_; }
  // The same until the room has moved, or stays.
  void CloseToMove(bool moves) { moves_ = moves; }

  bool idle() const { return (line_ == nullptr || line_->empty()) && closed_ == 0; }
  // Sends that wait, and those of them that are in no batch; when the first of these was proposed.
  size_t waiting() const { return line_ == nullptr ? 0 : line_->size(); }
  size_t unnumbered() const { return line_ == nullptr ? 0 : line_->unnumbered(); }
  int64_t oldest_unnumbered_ms() const { return line_->oldest_unnumbered().since_ms; }
  // Gives memory back that is not in use.
  void Shrink() {
    if (line_ != nullptr && line_->empty()) line_ = nullptr;
  }

 private:
  absl::StatusOr<SendResult> SendNow(std::string_view from, std::string_view target, std::string_view content,
                                     int64_t now_ms, std::string_view id, Gather* gather);
  absl::StatusOr<SendResult> Propose(std::string_view from, std::string_view target, std::string_view content,
                                     int64_t now_ms, std::string_view id, SendTicket* ticket);
  // OK if one more may be proposed.
  absl::Status MayPropose() const;
  // OK if the room may have one more message of this length.
  absl::Status PayFor(std::string_view content, size_t recipients, int64_t now_ms);
  absl::Status NotHere(std::string_view target) const;
  SendResult Record(const EventPtr& message, size_t recipients);
  void Push(const SendLine::Proposal& proposal, Gather& gather) const;
  SendLine::Proposal PopFront();

  RoomMembers& members_;
  RoomEvents& events_;
  const RoomLimits& limits_;
  RateLimit fan_out_;
  std::unique_ptr<SendLine> line_;  // Null in a room where nothing waits.
  int closed_ = 0;
  bool moves_ = false;
};

}  // namespace hubbub::chat
