#include "chat/send_stream.h"

#include <chrono>
#include <utility>

#include "chat/check_request.h"
#include "chat/outbox.h"
#include "fmt/format.h"
#include "services/log.h"
#include "services/rpc/request_id.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

absl::Status SendChains::Do(const v1::SendStreamRequest& request, v1::SendStreamResponse& response) {
  using Clock = std::chrono::steady_clock;
  const bool logs = spdlog::should_log(spdlog::level::debug);
  const Clock::time_point came = logs ? Clock::now() : Clock::time_point();
  response.mutable_answers()->Reserve(response.answers_size() + request.sends_size());
  for (const v1::ChainedSend& send : request.sends()) {
    v1::SendAnswer& answer = *response.add_answers();
    const absl::Status status = DoOne(send, *answer.mutable_response());
    if (logs) {
      // As of a call of its own, with what it waited for the sends before it in its message.
      const std::chrono::duration<double, std::milli> took = Clock::now() - came;
      spdlog::debug("ChatService.SendStream: a send was answered{}",
                    LogFields({{"request", rpc::UsableRequestId(send.request_id())},
                               {"code", absl::StatusCodeToString(status.code())},
                               {"ms", fmt::format("{:.1f}", took.count())}}));
    }
    if (status.ok()) continue;
    answer.clear_response();
    answer.set_code(static_cast<int>(status.code()));
    answer.set_message(std::string(status.message()));
  }
  for (const uint64_t chain : request.ended_chains()) broken_.erase(chain);
  if (broken_.size() <= kMostBroken) return absl::OkStatus();
  return absl::ResourceExhaustedError("too many chains are broken: tell which have ended");
}

absl::Status SendChains::DoOne(const v1::ChainedSend& send, v1::SendResponse& response) {
  if (!broken_.empty() && broken_.contains(send.chain()))
    return absl::AbortedError("an earlier send of this chain was not done: send both again");
  absl::Status status = CheckRequest(send.send());
  if (!status.ok()) return status;
  status = do_send_(send, response);
  const bool not_now =
      absl::IsAborted(status) || absl::IsFailedPrecondition(status) || absl::IsUnavailable(status);
  if (not_now && send.chain() != 0) broken_.insert(send.chain());
  return status;
}

SendStream::SendStream(SendChains::DoSend do_send, std::function<void(SendStream*)> on_done)
    : on_done_(std::move(on_done)), chains_(std::move(do_send)) {
  StartRead(&request_);
}

void SendStream::End(grpc::Status status) {
  MutexLock lock(mu_);
  EndLocked(std::move(status));
}

void SendStream::EndLocked(grpc::Status status) {
  if (!end_) end_ = std::move(status);
  Flush();
}

void SendStream::OnReadDone(bool ok) {
  if (!ok) {
    MutexLock lock(mu_);
    reading_ = false;
    return EndLocked(grpc::Status::OK);
  }
  v1::SendStreamResponse answers;
  absl::Status status;
  {
    const Outbox::Gather gather;
    status = chains_.Do(request_, answers);
  }
  MutexLock lock(mu_);
  if (waiting_.answers_size() == 0) {
    waiting_.Swap(&answers);
  } else {
    waiting_.MergeFrom(answers);
  }
  if (!status.ok()) return EndLocked({grpc::StatusCode::RESOURCE_EXHAUSTED, std::string(status.message())});
  Flush();
  reading_ = !end_ && waiting_.answers_size() < kMostWaiting;
  if (reading_) StartRead(&request_);
}

void SendStream::OnWriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (!ok) {
    waiting_.Clear();
    return EndLocked(grpc::Status::CANCELLED);
  }
  Flush();
  if (!reading_ && !end_ && waiting_.answers_size() < kMostWaiting) {
    reading_ = true;
    StartRead(&request_);
  }
}

void SendStream::Flush() {
  if (writing_ || finished_) return;
  if (waiting_.answers_size() > 0) {
    leaving_.Clear();
    leaving_.Swap(&waiting_);
    writing_ = true;
    return StartWrite(&leaving_);
  }
  if (!end_) return;
  finished_ = true;
  Finish(*end_);
}

void SendStream::OnDone() {
  on_done_(this);
  delete this;
}

}  // namespace hubbub::chat
