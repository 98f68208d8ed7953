#include "chat/connectors/outbox.h"

#include <utility>

#include "chat/connectors/event_proto.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

// No more than this is gathered: a batch that large is worth a write of its own, and far from what ends the
// lease.
constexpr size_t kMostGathered = size_t{256} * 1024;

}  // namespace

void Outbox::Push(EventPtr event, Gather* gather) {
  Stream* stream = nullptr;
  {
    MutexLock lock(mu_);
    if (ended_) return;
    pace_.Pushed(event->kind);
    if (!queue_.Push(std::move(event))) {
      counters_->cuts.Add();
      return EndLocked(
          {grpc::StatusCode::RESOURCE_EXHAUSTED,
           fmt::format("connector \"{}\" did not read its events: {} bytes waiting; subscribe again",
                       connector_, queue_.unsent_bytes())});
    }
    if (gather != nullptr && queue_.unsent_bytes() < kMostGathered) {
      if (!std::exchange(gathered_, true)) gather->Add(shared_from_this());
      return;
    }
    gathered_ = false;  // There is too much to wait any longer, or a sender that does not gather.
    stream = NextWrite();
  }
  if (stream != nullptr) stream->Write();
}

void Outbox::Flush() {
  Stream* stream = nullptr;
  {
    MutexLock lock(mu_);
    gathered_ = false;
    stream = NextWrite();
  }
  if (stream != nullptr) stream->Write();
}

void Outbox::OnTime() {
  Stream* stream = nullptr;
  {
    MutexLock lock(mu_);
    timer_is_set_ = false;
    pace_.Hurry();  // The timer calls all outboxes at the time of the first.
    stream = NextWrite();
  }
  if (stream != nullptr) stream->Write();
}

Outbox::Reactor* Outbox::Attach(uint64_t next_seq, std::string peer) {
  Stream* stream = nullptr;
  {
    MutexLock lock(mu_);
    if (ended_ || draining_ || !queue_.Rewind(next_seq)) return nullptr;
    if (stream_ != nullptr) {
      Close(
          {grpc::StatusCode::ABORTED, fmt::format("lease {} of connector \"{}\" has a newer stream, from {}",
                                                  lease_, connector_, peer)});
    }
    peer_ = std::move(peer);
    idle_since_ms_.reset();
    broke_.reset();
    stream_ = stream = new Stream(shared_from_this());
    stream->writing = true;
    stream->next = TakeBatch();
  }
  stream->Write();
  return stream;
}

void Outbox::End(grpc::Status reason) {
  MutexLock lock(mu_);
  if (!ended_) EndLocked(std::move(reason));
}

void Outbox::Cut(grpc::Status reason) {
  MutexLock lock(mu_);
  if (stream_ != nullptr) Close(std::move(reason));
}

std::optional<std::chrono::milliseconds> Outbox::unheard_for() const {
  MutexLock lock(mu_);
  if (!broke_) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - *broke_);
}

void Outbox::Drain(grpc::Status reason) {
  Stream* stream = nullptr;
  {
    MutexLock lock(mu_);
    draining_ = std::move(reason);
    pace_.Hurry();
    stream = NextWrite();  // Closes the stream if nothing waits.
  }
  if (stream != nullptr) stream->Write();
}

bool Outbox::Expire(int64_t now_ms, int64_t grace_ms) {
  MutexLock lock(mu_);
  if (stream_ != nullptr) return false;
  if (!idle_since_ms_) idle_since_ms_ = now_ms;
  if (now_ms - *idle_since_ms_ < grace_ms) return false;
  if (!ended_) {
    EndLocked({grpc::StatusCode::DEADLINE_EXCEEDED, fmt::format("it had no stream for {} ms", grace_ms)});
  }
  return true;
}

std::optional<std::string> Outbox::peer() const {
  MutexLock lock(mu_);
  return stream_ == nullptr ? std::nullopt : std::optional(peer_);
}

size_t Outbox::queued_bytes() const {
  MutexLock lock(mu_);
  return queue_.unsent_bytes();
}

EventQueue::Batch Outbox::TakeBatch() {
  EventQueue::Batch batch = queue_.Take();
  pace_.Wrote(WritePace::Clock::now(), /*rest=*/queue_.unsent_events() > 0);
  counters_->sent_events.Add(batch.events.size());
  counters_->sent_bytes.Add(batch.bytes);
  return batch;
}

grpc::Status Outbox::end_reason() const {
  MutexLock lock(mu_);
  return end_reason_;
}

void Outbox::Stream::Write() {
  // Cleared, a batch keeps in each slot the memory of the longest text that was there; long ones are not
  // worth it.
  constexpr size_t kKeptText = 4096;
  if (long_text_) {
    batch_ = {};
    long_text_ = false;
  } else {
    batch_.Clear();
  }
  batch_.set_lease(outbox_->lease());
  if (std::exchange(first_, false)) batch_.set_incarnation(outbox_->incarnation_);
  batch_.set_seq(next.first_seq);
  batch_.mutable_events()->Reserve(static_cast<int>(next.events.size()));
  for (const EventPtr& event : next.events) {
    ToProto(*event, batch_.add_events());
    if (event->content.size() > kKeptText) long_text_ = true;
  }
  next.events.clear();
  StartWrite(&batch_);
}

Outbox::Stream* Outbox::NextWrite() {
  if (stream_ == nullptr || stream_->writing || gathered_) return nullptr;
  if (queue_.unsent_events() == 0) {
    if (draining_) Close(*draining_);
    return nullptr;
  }
  if (!pace_.MayWrite(WritePace::Clock::now())) {
    if (!std::exchange(timer_is_set_, true)) {
      timer_.CallBy(pace_.next(), [self = weak_from_this()] {
        if (const auto outbox = self.lock()) outbox->OnTime();
      });
    }
    return nullptr;
  }
  stream_->writing = true;
  stream_->next = TakeBatch();
  return stream_;
}

void Outbox::EndLocked(grpc::Status reason) {
  ended_.store(true, std::memory_order_release);
  end_reason_ = reason;
  queue_.Clear();
  if (stream_ != nullptr) Close(std::move(reason));
}

void Outbox::Close(grpc::Status status) {
  Stream* const stream = std::exchange(stream_, nullptr);
  broke_ = std::chrono::steady_clock::now();
  if (stream->writing) {
    stream->closing = std::move(status);
  } else {
    stream->Finish(std::move(status));
  }
}

void Outbox::OnWriteDone(Stream* stream, bool ok) {
  Stream* next = nullptr;
  {
    MutexLock lock(mu_);
    stream->writing = false;
    if (stream->closing) return stream->Finish(*std::move(stream->closing));
    if (!ok) return Close({grpc::StatusCode::CANCELLED, "the stream broke"});
    next = NextWrite();
  }
  if (next != nullptr) next->Write();
}

void Outbox::OnCancel(Stream* stream) {
  MutexLock lock(mu_);
  if (stream_ == stream) Close({grpc::StatusCode::CANCELLED, "the stream was cancelled"});
}

}  // namespace hubbub::chat
