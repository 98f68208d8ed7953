#include "chat/connectors/send_reactor.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "chat/connectors/send_message.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::chat {

SendReactor::SendReactor(SendChains::DoSend do_send, std::function<void(SendReactor*)> on_done)
    : on_done_(std::move(on_done)),
      chains_(std::make_shared<SendChains>(std::move(do_send),
                                           [this](v1::SendStreamResponse& answers) { OnAnswers(answers); })) {
  StartRead(&read_);
}

void SendReactor::End(grpc::Status status) {
  MutexLock lock(mu_);
  EndLocked(std::move(status));
}

void SendReactor::EndLocked(grpc::Status status) {
  if (!end_) end_ = std::move(status);
  Flush();
}

void SendReactor::OnReadDone(bool ok) {
  {
    MutexLock lock(mu_);
    if (!ok || finished_) {
      reading_ = false;
      return EndLocked(grpc::Status::OK);
    }
  }
  absl::Status status = ReadSends(read_, request_);
  if (status.ok()) {
    {
      MutexLock lock(mu_);
      owed_ += request_.sends_size();
    }
    status = chains_->Do(request_);
  }
  MutexLock lock(mu_);
  reading_ = false;
  if (!status.ok()) return EndLocked(rpc::ToGrpc(status));
  ReadOn();
}

void SendReactor::OnAnswers(v1::SendStreamResponse& answers) {
  MutexLock lock(mu_);
  owed_ -= answers.answers_size();
  if (broken_) return Flush();
  if (waiting_.answers_size() == 0) {
    waiting_.Swap(&answers);
  } else {
    waiting_.MergeFrom(answers);
  }
  Flush();
  ReadOn();
}

void SendReactor::OnWriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  if (!ok) return Break();
  Flush();
  ReadOn();
}

void SendReactor::OnCancel() {
  MutexLock lock(mu_);
  Break();
}

void SendReactor::Break() {
  broken_ = true;
  waiting_.Clear();
  EndLocked(grpc::Status::CANCELLED);
}

void SendReactor::ReadOn() {
  if (reading_ || end_ || owed_ + waiting_.answers_size() >= kMostWaiting) return;
  reading_ = true;
  StartRead(&read_);
}

void SendReactor::Flush() {
  if (writing_ || finished_) return;
  if (waiting_.answers_size() > 0) {
    WriteAnswers(waiting_, leaving_);
    waiting_.Clear();
    writing_ = true;
    return StartWrite(&leaving_);
  }
  if (!end_ || (owed_ > 0 && !broken_)) return;
  finished_ = true;
  Finish(*end_);
}

void SendReactor::OnDone() {
  chains_->Close();
  on_done_(this);
  delete this;
}

}  // namespace hubbub::chat
