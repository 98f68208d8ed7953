#include "chat/connectors/send_chains.h"

#include <algorithm>

#include "chat/connectors/check_request.h"
#include "chat/connectors/event_proto.h"
#include "fmt/format.h"
#include "services/base/log.h"
#include "services/rpc/request_id.h"
#include "services/rpc/retry.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

absl::Status SendChains::Do(const v1::SendStreamRequest& request) {
  const bool logs = spdlog::should_log(spdlog::level::debug);
  const Clock::time_point came = logs ? Clock::now() : Clock::time_point();
  Gather gather;
  SendTicket ticket;
  for (const v1::ChainedSend& send : request.sends()) {
    Asked asked{.chain = send.chain(), .number = send.number(), .request_id = {}, .came = came};
    if (logs) asked.request_id = rpc::UsableRequestId(send.request_id());
    // One reference counts for all sends up to one that is pending, and takes it along.
    if (ticket.waiter == nullptr) ticket.waiter = shared_from_this();
    DoOne(send, std::move(asked), gather, ticket);
  }
  MutexLock lock(mu_);
  Deliver();
  for (const uint64_t chain : request.ended_chains()) broken_.erase(chain);
  if (broken_.size() <= kMostBroken) return absl::OkStatus();
  return absl::ResourceExhaustedError("too many chains are broken: tell which have ended");
}

void SendChains::DoOne(const v1::ChainedSend& send, Asked&& asked, Gather& gather, SendTicket& ticket) {
  // Held for the whole of it, so that the outcome of a send that is pending does not come before it is known
  // here.
  MutexLock lock(mu_);
  ticket.tag = last_tag_ + 1;
  const absl::StatusOr<SendResult> result = Try(send, gather, ticket);
  if (result.ok() && result->pending) {
    ++last_tag_;
    if (asked.chain != 0) {
      Chain& chain = chains_[asked.chain];
      if (chain.line.empty()) chain.room = send.send().room();
      chain.line.push_back({.tag = last_tag_});
    }
    pending_.emplace(last_tag_, std::move(asked));
    return;
  }
  v1::SendAnswer answer = Answer(asked, result);
  const auto chain = chains_.empty() ? chains_.end() : chains_.find(asked.chain);
  if (chain == chains_.end()) {
    *ready_.add_answers() = std::move(answer);
  } else {
    chain->second.line.push_back({.known = true, .answer = std::move(answer)});
  }
}

absl::StatusOr<SendResult> SendChains::Try(const v1::ChainedSend& send, Gather& gather, SendTicket& ticket) {
  if (!broken_.empty() && broken_.contains(send.chain()))
    return absl::AbortedError("an earlier send of this chain was not done: send both again");
  if (absl::Status status = CheckRequest(send.send()); !status.ok()) return status;
  if (const auto chain = chains_.empty() ? chains_.end() : chains_.find(send.chain());
      chain != chains_.end() && chain->second.room != send.send().room()) {
    // Rooms do not wait for each other, so the order of the chain could not be kept.
    return absl::AbortedError("an earlier send of this chain into another room is not done yet: send again");
  }
  return do_send_(send, gather, ticket);
}

v1::SendAnswer SendChains::Answer(const Asked& asked, const absl::StatusOr<SendResult>& result) {
  const absl::Status& status = result.status();
  if (asked.came != Clock::time_point()) {
    // As the line of a call, with the time that it waited for the sends before it in its message.
    const std::chrono::duration<double, std::milli> took = Clock::now() - asked.came;
    spdlog::debug("ChatService.SendStream: a send was answered{}",
                  LogFields({{"request", asked.request_id},
                             {"code", absl::StatusCodeToString(status.code())},
                             {"ms", fmt::format("{:.1f}", took.count())}}));
  }
  v1::SendAnswer answer;
  answer.set_number(asked.number);
  if (result.ok()) {
    ToProto(*result, answer.mutable_response());
    return answer;
  }
  if (asked.chain != 0 && rpc::OutcomeOfItem(status) != rpc::Outcome::kDone) broken_.insert(asked.chain);
  answer.set_code(static_cast<int>(status.code()));
  answer.set_message(std::string(status.message()));
  return answer;
}

void SendChains::OnSent(uint64_t tag, const absl::StatusOr<SendResult>& result, Gather& gather) {
  MutexLock lock(mu_);
  const auto asked = pending_.find(tag);
  if (asked == pending_.end()) return;
  v1::SendAnswer answer = Answer(asked->second, result);
  const auto chain = chains_.find(asked->second.chain);
  pending_.erase(asked);
  if (chain == chains_.end()) {
    *ready_.add_answers() = std::move(answer);
  } else {
    std::deque<Next>& line = chain->second.line;
    const auto next = std::find_if(line.begin(), line.end(), [tag](const Next& n) { return n.tag == tag; });
    next->known = true;
    next->answer = std::move(answer);
    for (; !line.empty() && line.front().known; line.pop_front())
      *ready_.add_answers() = std::move(line.front().answer);
    if (line.empty()) chains_.erase(chain);
  }
  if (!std::exchange(gathered_, true)) gather.Add(shared_from_this());
}

void SendChains::Flush() {
  MutexLock lock(mu_);
  gathered_ = false;
  Deliver();
}

void SendChains::Deliver() {
  if (ready_.answers_size() == 0) return;
  if (on_answers_) on_answers_(ready_);
  ready_.Clear();
}

void SendChains::Close() {
  MutexLock lock(mu_);
  on_answers_ = nullptr;
}

}  // namespace hubbub::chat
