#include "connector/room_sends.h"

#include <utility>

#include "connector/answers.h"

namespace hubbub::connector {
namespace {

// What a send costs while it waits, besides its texts.
constexpr size_t kSendBytes = 256;

size_t BytesOf(const chat::v1::SendRequest& request) {
  return kSendBytes + request.content().size();
}

}  // namespace

void RoomSends::Send(chat::v1::SendRequest request, Reply reply, net::Clock::time_point deadline) {
  ++load_->sends;
  load_->bytes += BytesOf(request);
  auto one = std::make_unique<One>(One{.send = {}, .reply = std::move(reply), .deadline = deadline});
  *one->send.mutable_send() = std::move(request);
  one->send.set_request_id(one->reply.request_id());
  queue_.push_back(std::move(one));
  Pump();
}

void RoomSends::Pump() {
  while (!waits_ && sent_ < queue_.size()) {
    std::shared_ptr<SendLine> line = lines_->LineOf(*membership_);
    if (line == nullptr) {
      why_ = absl::UnavailableError(ComingBack(membership_->room));
      waits_ = true;
      break;
    }
    if (line != line_) {
      // What goes to another chat server must not overtake what is on its way to the one before.
      if (sent_ > 0) {
        why_ = absl::AbortedError(ComingBack(membership_->room));
        waits_ = true;
        break;
      }
      line_ = std::move(line);
    }
    if (chain_ == 0) chain_ = lines_->NextChain();
    chat::v1::ChainedSend& send = queue_[sent_++]->send;
    send.set_chain(chain_);
    send.set_lease(membership_->lease);
    send.set_session(membership_->session_id());
    line_->Send(send, shared_from_this());
  }
  if (waits_ && back_ == sent_) Pause();
}

void RoomSends::OnAnswer(const absl::Status& status, const chat::v1::SendResponse& response, bool certain) {
  const bool not_now =
      absl::IsAborted(status) || absl::IsFailedPrecondition(status) || absl::IsUnavailable(status);
  const bool again = !status.ok() && (certain ? not_now : !queue_[back_]->send.send().id().empty()) &&
                     membership_ != nullptr;
  if (again) {
    why_ = status;
    waits_ = true;
    refused_ = true;
    ++back_;
  } else {
    const std::string& room = queue_[back_]->send.send().room();
    End(back_, [&](Reply reply) {
      if (absl::IsPermissionDenied(status)) return reply.Fail(403, NotInRoom(room));
      if (!status.ok()) return FailWith(std::move(reply), status);
      refusals_ = 0;
      reply.Ok({{"offset", response.offset()}, {"epoch", response.epoch()}, {"time", response.time_ms()}});
    });
  }
  if (waits_ && back_ == sent_) Pause();
}

void RoomSends::Pause() {
  if (membership_ == nullptr || std::exchange(paused_, true)) return;
  if (line_ != nullptr && chain_ != 0) line_->EndChain(chain_);
  chain_ = 0;
  back_ = 0;
  sent_ = 0;
  // Whether there is a line costs nobody anything: that is looked at often.
  const int tries = std::exchange(refused_, false) ? refusals_++ : 0;
  lines_->Later(tries, [self = shared_from_this()] {
    self->paused_ = false;
    self->waits_ = false;
    if (self->membership_ == nullptr) return;
    for (size_t i = 0; i < self->queue_.size();) {
      if (net::Clock::now() < self->queue_[i]->deadline) {
        ++i;
      } else {
        self->End(i, [&self](Reply reply) { FailWith(std::move(reply), self->why_); });
      }
    }
    self->Pump();
  });
}

void RoomSends::Close() {
  if (membership_ == nullptr) return;
  const std::string room = membership_->room;
  membership_ = nullptr;
  lines_ = nullptr;
  if (line_ != nullptr && chain_ != 0 && back_ > 0) line_->EndChain(chain_);
  const auto refuse = [&room](Reply reply) { reply.Fail(403, NotInRoom(room)); };
  for (; back_ > 0; --back_) End(0, refuse);
  while (queue_.size() > sent_) End(queue_.size() - 1, refuse);
}

void RoomSends::End(size_t index, const std::function<void(Reply)>& answer) {
  const auto at = queue_.begin() + static_cast<ptrdiff_t>(index);
  const std::unique_ptr<One> one = std::move(*at);
  --load_->sends;
  load_->bytes -= BytesOf(one->send.send());
  if (index < sent_) --sent_;
  queue_.erase(at);
  answer(std::move(one->reply));
  if (load_->sends == 0 && load_->when_idle) std::exchange(load_->when_idle, nullptr)();
  // It may be the last that is heard of this.
  if (queue_.empty() && when_idle_) std::exchange(when_idle_, nullptr)();
}

}  // namespace hubbub::connector
