#include "chat/rooms/send_line.h"

#include <iterator>
#include <utility>

#include "chat/rooms/send_key.h"

namespace hubbub::chat {

SendLine::Proposal* SendLine::Find(std::string_view from, std::string_view id) {
  if (by_id_.empty()) return nullptr;
  const auto found = by_id_.find(SendKey(from, id));
  return found == by_id_.end() ? nullptr : found->second;
}

void SendLine::Push(Proposal proposal) {
  bytes_ += proposal.event->memory_bytes();
  Proposal& pushed = line_.emplace_back(std::move(proposal));
  if (!pushed.event->id.empty()) by_id_.emplace(SendKey(pushed.event->user, pushed.event->id), &pushed);
}

SendLine::Proposal SendLine::PopFront() {
  Proposal proposal = std::move(line_.front());
  Forget(proposal);
  line_.pop_front();
  if (numbered_ > 0) --numbered_;
  return proposal;
}

SendLine::Proposal SendLine::PopBack() {
  Proposal proposal = std::move(line_.back());
  Forget(proposal);
  line_.pop_back();
  if (numbered_ > line_.size()) numbered_ = line_.size();
  return proposal;
}

std::vector<SendTicket> SendLine::TakeTickets(int64_t before_ms) {
  std::vector<SendTicket> tickets;
  for (size_t i = 0; i < numbered_ && line_[i].since_ms < before_ms; ++i) {
    Proposal& late = line_[i];
    if (late.ticket.waiter != nullptr) tickets.push_back(std::exchange(late.ticket, {}));
    tickets.insert(tickets.end(), std::make_move_iterator(late.repeats.begin()),
                   std::make_move_iterator(late.repeats.end()));
    late.repeats.clear();
  }
  return tickets;
}

void SendLine::Forget(const Proposal& proposal) {
  bytes_ -= proposal.event->memory_bytes();
  if (!proposal.event->id.empty()) by_id_.erase(SendKey(proposal.event->user, proposal.event->id));
}

void AddOutcomes(SendLine::Proposal proposal, const absl::StatusOr<SendResult>& result,
                 std::vector<SendOutcome>& outcomes) {
  if (proposal.ticket.waiter != nullptr) outcomes.push_back({std::move(proposal.ticket), result});
  for (SendTicket& repeat : proposal.repeats) {
    if (repeat.waiter == nullptr) continue;
    outcomes.push_back({std::move(repeat), result});
    if (result.ok()) outcomes.back().result->repeated = true;
  }
}

}  // namespace hubbub::chat
