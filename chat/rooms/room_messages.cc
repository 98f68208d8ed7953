#include "chat/rooms/room_messages.h"

#include <algorithm>
#include <utility>

#include "chat/rooms/tokens.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// What a message takes beside its text, about.
constexpr size_t kMessageBytes = 100;

}  // namespace

RoomMessages::~RoomMessages() {
  while (waiting() > 0) PopFront();
}

absl::StatusOr<SendResult> RoomMessages::Send(std::string_view from, std::string_view target,
                                              std::string_view content, int64_t now_ms, std::string_view id,
                                              PlaceId sender, Gather* gather, SendTicket* ticket) {
  if (const auto sent = id.empty() ? std::nullopt : events_.past().FindSend(from, id, now_ms)) {
    return SendResult{.offset = sent->offset,
                      .epoch = sent->epoch,
                      .time_ms = sent->time_ms,
                      .recipients = sent->recipients,
                      .repeated = true};
  }
  if (line_ != nullptr && !id.empty()) {
    if (SendLine::Proposal* const proposed = line_->Find(from, id)) {
      if (ticket != nullptr) proposed->repeats.push_back(std::move(*ticket));
      return SendResult{.pending = true};
    }
  }
  if (sender.lease != 0 && !members_.Has(from, sender)) {
    return absl::PermissionDeniedError(fmt::format("user \"{}\" is not in room \"{}\" any more by session {}",
                                                   from, events_.room(), sender.session));
  }
  if (absl::Status status = PayFor(content, target == kEverybody ? members_.users() : 1, now_ms);
      !status.ok())
    return status;
  return limits_.budget == nullptr ? SendNow(from, target, content, now_ms, id, gather)
                                   : Propose(from, target, content, now_ms, id, ticket);
}

absl::StatusOr<SendResult> RoomMessages::SendNow(std::string_view from, std::string_view target,
                                                 std::string_view content, int64_t now_ms,
                                                 std::string_view id, Gather* gather) {
  if (target == kEverybody) {
    const auto message = events_.Message(from, target, content, id, {});
    events_.Number(*message, now_ms);
    const SendResult result = Record(message, members_.users());
    members_.PushToAll(message, gather);
    return result;
  }
  const RoomMembers::Member* const member = members_.Find(target);
  if (member == nullptr) return NotHere(target);
  const auto message = events_.Message(from, target, content, id, TokenHashes(member->places));
  events_.Number(*message, now_ms);
  const SendResult result = Record(message, 1);
  RoomMembers::PushTo(*member, message, gather);
  return result;
}

absl::StatusOr<SendResult> RoomMessages::Propose(std::string_view from, std::string_view target,
                                                 std::string_view content, int64_t now_ms,
                                                 std::string_view id, SendTicket* ticket) {
  if (absl::Status status = MayPropose(); !status.ok()) return status;
  SendLine::Proposal proposal;
  proposal.recipients = members_.users();
  proposal.since_ms = now_ms;
  std::vector<uint64_t> for_tokens;
  if (target != kEverybody) {
    const RoomMembers::Member* const member = members_.Find(target);
    if (member == nullptr) return NotHere(target);
    proposal.recipients = 1;
    proposal.visit = member->visit;
    for_tokens = TokenHashes(member->places);
  }
  proposal.event = events_.Message(from, target, content, id, std::move(for_tokens));
  if (ticket != nullptr) proposal.ticket = std::move(*ticket);
  limits_.budget->Add(proposal.event->memory_bytes());
  if (line_ == nullptr) line_ = std::make_unique<SendLine>();
  line_->Push(std::move(proposal));
  return SendResult{.pending = true};
}

absl::Status RoomMessages::MayPropose() const {
  if (closed_ > 0) {
    return absl::AbortedError(fmt::format(
        "earlier messages to room \"{}\" could not be kept just now: send them again first", events_.room()));
  }
  if (moves_) {
    return absl::AbortedError(
        fmt::format("room \"{}\" is about to move to another chat server: try again soon", events_.room()));
  }
  if (waiting() >= limits_.max_proposals) {
    return absl::ResourceExhaustedError(
        fmt::format("{} messages to room \"{}\" wait for the store already, the most allowed: send slower",
                    waiting(), events_.room()));
  }
  if (!limits_.budget->MayAdd(limits_.max_server_proposals, limits_.max_server_proposal_bytes)) {
    return absl::ResourceExhaustedError(
        fmt::format("{} messages of {} bytes wait for the store at this chat server, the most allowed: try "
                    "again later",
                    limits_.budget->sends(), limits_.budget->bytes()));
  }
  return absl::OkStatus();
}

absl::Status RoomMessages::PayFor(std::string_view content, size_t recipients, int64_t now_ms) {
  if (limits_.max_fan_out_per_second == 0) return absl::OkStatus();
  // A message of a full room with the longest text has to fit.
  const double bytes = std::min(static_cast<double>((content.size() + kMessageBytes) * recipients),
                                2.0 * limits_.max_fan_out_per_second);
  if (fan_out_.Take(RateLimit::Clock::time_point(std::chrono::milliseconds(now_ms)), bytes))
    return absl::OkStatus();
  return absl::ResourceExhaustedError(fmt::format(
      "what is said in room \"{}\" is more than {} bytes a second for its {} members together: send slower",
      events_.room(), limits_.max_fan_out_per_second, members_.users()));
}

absl::Status RoomMessages::NotHere(std::string_view target) const {
  return absl::NotFoundError(fmt::format("target \"{}\" is not in room \"{}\"", target, events_.room()));
}

SendResult RoomMessages::Record(const EventPtr& message, size_t recipients) {
  events_.Record(message);
  if (!message->id.empty()) {
    events_.past().RememberSend(message->user, message->id,
                                {.epoch = message->epoch,
                                 .offset = message->offset,
                                 .time_ms = message->time_ms,
                                 .recipients = recipients,
                                 .at_ms = message->at_ms});
  }
  return {.offset = message->offset,
          .epoch = message->epoch,
          .time_ms = message->time_ms,
          .recipients = recipients};
}

void RoomMessages::Take(size_t max_events, size_t max_bytes, int64_t now_ms, std::vector<Taken>& taken) {
  if (line_ == nullptr) return;
  for (SendLine::Proposal* next = line_->Next(); next != nullptr && max_events > 0; next = line_->Next()) {
    const size_t bytes = next->event->text_bytes();
    if (bytes > max_bytes) return;
    max_bytes -= bytes;
    --max_events;
    events_.Number(*next->event, now_ms, line_->numbered());
    line_->Numbered();
    taken.push_back({next->event, next->recipients});
  }
}

void RoomMessages::Publish(uint64_t up_to, Gather& gather, std::vector<SendOutcome>& outcomes) {
  while (line_ != nullptr && line_->numbered() > 0 && line_->front().event->offset <= up_to) {
    SendLine::Proposal proposal = PopFront();
    const SendResult result = Record(proposal.event, proposal.recipients);
    Push(proposal, gather);
    AddOutcomes(std::move(proposal), result, outcomes);
  }
}

void RoomMessages::Push(const SendLine::Proposal& proposal, Gather& gather) const {
  const Event& message = *proposal.event;
  if (message.target == kEverybody) return members_.PushToAll(proposal.event, &gather);
  const RoomMembers::Member* const member = members_.Find(message.target);
  if (member == nullptr) return;
  // Somebody else may have come by the name since; the user, back with the token of then, may have it.
  const bool the_same = member->visit == proposal.visit ||
                        std::any_of(member->places.begin(), member->places.end(), [&](const Place& place) {
                          const auto& hashes = message.for_tokens;
                          const uint64_t hash = TokenHash(place.token);
                          return hash != 0 && std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
                        });
  if (the_same) RoomMembers::PushTo(*member, proposal.event, &gather);
}

void RoomMessages::PutBack() {
  if (line_ != nullptr) line_->PutBack();
}

void RoomMessages::RefuseFirst(const absl::Status& why, std::vector<SendOutcome>& outcomes) {
  if (waiting() > 0) AddOutcomes(PopFront(), why, outcomes);
}

void RoomMessages::RefuseUnnumbered(const absl::Status& why, std::vector<SendOutcome>& outcomes) {
  std::vector<SendLine::Proposal> last_first;
  while (unnumbered() > 0) {
    last_first.push_back(line_->PopBack());
    limits_.budget->Remove(last_first.back().event->memory_bytes());
  }
  for (auto proposal = last_first.rbegin(); proposal != last_first.rend(); ++proposal)
    AddOutcomes(std::move(*proposal), why, outcomes);
}

void RoomMessages::RefuseAll(const absl::Status& numbered, const absl::Status& rest,
                             std::vector<SendOutcome>& outcomes) {
  while (waiting() > 0) {
    const absl::Status& why = line_->numbered() > 0 ? numbered : rest;
    AddOutcomes(PopFront(), why, outcomes);
  }
}

void RoomMessages::GiveUp(int64_t before_ms, const absl::Status& why, std::vector<SendOutcome>& outcomes) {
  if (line_ == nullptr) return;
  for (SendTicket& ticket : line_->TakeTickets(before_ms)) outcomes.push_back({std::move(ticket), why});
}

SendLine::Proposal RoomMessages::PopFront() {
  SendLine::Proposal proposal = line_->PopFront();
  limits_.budget->Remove(proposal.event->memory_bytes());
  return proposal;
}

}  // namespace hubbub::chat
