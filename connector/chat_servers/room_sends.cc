#include "connector/chat_servers/room_sends.h"

#include <utility>

#include "connector/chat_servers/client_errors.h"
#include "services/rpc/retry.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

// What a send takes up while it waits, besides its content.
constexpr size_t kSendBytes = 256;

size_t BytesOf(const chat::v1::SendRequest& request) {
  return kSendBytes + request.content().size();
}

}  // namespace

void RoomSends::Send(chat::v1::SendRequest request, client::Reply reply, net::Clock::time_point deadline) {
  servers_->loop().AssertHere();
  ++load_->sends;
  load_->bytes += BytesOf(request);
  auto send = std::make_shared<chat::v1::ChainedSend>();
  *send->mutable_send() = std::move(request);
  // Read by the debug log of the chat server alone: the servers of a suite log alike.
  if (spdlog::should_log(spdlog::level::debug)) send->set_request_id(reply.request_id());
  queue_.push_back(
      std::make_unique<One>(One{.send = std::move(send), .reply = std::move(reply), .deadline = deadline}));
  Pump();
}

void RoomSends::Pump() {
  while (!waits_ && sent_ < queue_.size()) {
    const Membership::At& at = membership_->at();
    const bool joined = membership_->joined();
    // Looked up only when the place is elsewhere, or its lease has changed.
    if (line_ == nullptr || !joined || !line_->LeadsTo(at)) {
      std::shared_ptr<SendStream> line = joined ? servers_->SendsTo(at.server, at.lease) : nullptr;
      // Sends to another chat server must not overtake those that are on their way to the one before.
      if (line == nullptr || (line != line_ && sent_ > 0)) {
        const std::string why = ComingBack(membership_->room());
        why_ = line == nullptr ? absl::UnavailableError(why) : absl::AbortedError(why);
        waits_ = true;
        break;
      }
      line_ = std::move(line);
    }
    if (chain_ == 0) chain_ = servers_->NextChain();
    const std::shared_ptr<chat::v1::ChainedSend>& send = queue_[sent_++]->send;
    send->set_chain(chain_);
    send->set_lease(membership_->at().lease);
    send->set_session(membership_->session_id());
    line_->Send(send, shared_from_this());
  }
  if (waits_ && back_ == sent_) Pause();
}

void RoomSends::OnAnswer(const absl::Status& status, const chat::v1::SendResponse& response, bool certain) {
  const rpc::Outcome outcome = certain ? rpc::OutcomeOfItem(status) : rpc::Outcome::kUnknown;
  const bool has_id = !queue_[back_]->send->send().id().empty();
  const bool again =
      !status.ok() && membership_ != nullptr &&
      (outcome == rpc::Outcome::kNothingHappened || (outcome == rpc::Outcome::kUnknown && has_id));
  if (again) {
    why_ = certain ? status : FaultOfCall(status);
    waits_ = true;
    refused_ = true;
    // It will go with another chain, and the line may still have this one.
    std::shared_ptr<chat::v1::ChainedSend>& send = queue_[back_++]->send;
    send = std::make_shared<chat::v1::ChainedSend>(*send);
  } else {
    const std::string& room = queue_[back_]->send->send().room();
    End(back_, [&](client::Reply reply) {
      if (!certain) return FailWith(std::move(reply), FaultOfCall(status));
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
  // To look for a line costs nothing, so that is done often.
  const int tries = std::exchange(refused_, false) ? refusals_++ : 0;
  servers_->Later(tries, [self = shared_from_this()] {
    self->paused_ = false;
    self->waits_ = false;
    if (self->membership_ == nullptr) return;
    for (size_t i = 0; i < self->queue_.size();) {
      if (net::Clock::now() < self->queue_[i]->deadline) {
        ++i;
      } else {
        self->End(i, [&self](client::Reply reply) { FailWith(std::move(reply), self->why_); });
      }
    }
    self->Pump();
  });
}

void RoomSends::Close() {
  if (membership_ == nullptr) return;
  const std::string room = membership_->room();
  membership_ = nullptr;
  servers_ = nullptr;
  if (line_ != nullptr && chain_ != 0 && back_ > 0) line_->EndChain(chain_);
  const auto refuse = [&room](client::Reply reply) { reply.Fail(403, NotInRoom(room)); };
  for (; back_ > 0; --back_) End(0, refuse);
  while (queue_.size() > sent_) End(queue_.size() - 1, refuse);
}

void RoomSends::End(size_t index, const std::function<void(client::Reply)>& answer) {
  const auto at = queue_.begin() + static_cast<ptrdiff_t>(index);
  const std::unique_ptr<One> one = std::move(*at);
  --load_->sends;
  load_->bytes -= BytesOf(one->send->send());
  if (index < sent_) --sent_;
  queue_.erase(at);
  answer(std::move(one->reply));
  if (load_->sends == 0 && load_->when_idle) std::exchange(load_->when_idle, nullptr)();
  // The owner may let go of this object.
  if (queue_.empty() && when_idle_) std::exchange(when_idle_, nullptr)();
}

}  // namespace hubbub::connector
