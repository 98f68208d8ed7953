#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "chat/rooms/event.h"
#include "chat/rooms/send_waiter.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// The sends of one room that are proposed and not yet published, in order: first those that are in a batch
// and have their offsets, then those that wait for one. Knows which ids are among them. Not thread-safe: the
// lock of the room's shard guards it.
class SendLine {
 public:
  struct Proposal {
    std::shared_ptr<Event> event;  // Nobody else has it until it is numbered; then it does not change.
    size_t recipients = 0;
    uint64_t visit = 0;  // A message for one user: RoomMembers::Member::visit of that user.
    int64_t since_ms = 0;
    SendTicket ticket;
    std::vector<SendTicket> repeats;  // Of sends of the same id, which share its outcome.
  };

  // The proposal of this user by this id; null if there is none.
  Proposal* Find(std::string_view from, std::string_view id);
  void Push(Proposal proposal);

  // The first proposal without a number; null if there is none. Numbered: it is in a batch from now on.
  Proposal* Next() { return numbered_ < line_.size() ? &line_[numbered_] : nullptr; }
  void Numbered() { ++numbered_; }
  // Nothing of the batch was done: its proposals wait for another one.
  void PutBack() { numbered_ = 0; }

  bool empty() const { return line_.empty(); }
  size_t size() const { return line_.size(); }
  size_t numbered() const { return numbered_; }
  size_t unnumbered() const { return line_.size() - numbered_; }
  // Memory.
  size_t bytes() const { return bytes_; }
  Proposal& front() { return line_.front(); }
  // The oldest one that is in no batch.
  const Proposal& oldest_unnumbered() const { return line_[numbered_]; }

  Proposal PopFront();
  Proposal PopBack();

  // Takes the tickets away from what was proposed before `before_ms` and is in a batch: it stays, and its
  // senders are not told any more.
  std::vector<SendTicket> TakeTickets(int64_t before_ms);

 private:
  void Forget(const Proposal& proposal);

  std::deque<Proposal> line_;
  size_t numbered_ = 0;
  size_t bytes_ = 0;
  StringMap<Proposal*> by_id_;  // A deque does not move what it holds.
};

// Adds what became of the proposal for each sender that waits for it.
void AddOutcomes(SendLine::Proposal proposal, const absl::StatusOr<SendResult>& result,
                 std::vector<SendOutcome>& outcomes);

}  // namespace hubbub::chat
