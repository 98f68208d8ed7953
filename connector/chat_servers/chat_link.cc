#include "connector/chat_servers/chat_link.h"

#include <utility>

#include "services/base/clock.h"
#include "services/rpc/channel.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {

using chat::v1::SubscribeRequest;
using chat::v1::SubscribeResponse;

ChatLink::ChatLink(directory::ServerInfo server, std::string connector_id, uint64_t connector_run,
                   Listener listener, const rpc::Credentials& credentials)
    : server_(std::move(server)),
      connector_id_(std::move(connector_id)),
      listener_(std::move(listener)),
      channel_(rpc::MakeChannel(server_.grpc_address(), credentials)),
      stub_(chat::v1::ChatService::NewStub(channel_)),
      history_(chat::v1::HistoryService::NewStub(channel_)),
      reachability_(SteadyNowMs()),
      stream_({
          .open = [this](auto* context, const auto* request,
                         auto* reactor) { stub_->async()->Subscribe(context, request, reactor); },
          .request =
              [this, connector_run] {
                SubscribeRequest request;
                request.set_incarnation(connector_run);
                request.set_connector(connector_id_);
                request.set_lease(lease_);
                request.set_next_seq(next_seq_);
                return request;
              },
          .on_message = [this](SubscribeResponse& batch) { OnBatch(batch); },
          .on_end = [this](const grpc::Status& status) { OnEnd(status); },
      }) {}

void ChatLink::Stop() {
  stream_.Stop();
  if (state_ == State::kUp) state_ = State::kDown;
  *standing_lease_ = 0;
  MutexLock lock(mu_);
  for (const auto& sends : sends_) {
    if (sends != nullptr) sends->Close();
  }
}

std::shared_ptr<SendStream> ChatLink::SendsOf(net::Loop& loop) {
  const auto index = static_cast<size_t>(loop.index());
  MutexLock lock(mu_);
  if (sends_.size() <= index) sends_.resize(index + 1);
  if (sends_[index] == nullptr) {
    sends_[index] = std::make_shared<SendStream>(
        loop, [stub = stub_](auto* context, auto* reactor) { stub->async()->SendStream(context, reactor); },
        server_.id, standing_lease_);
  }
  return sends_[index];
}

void ChatLink::OnBatch(SubscribeResponse& batch) {
  reachability_.Heard();
  if (batch.incarnation() != 0) incarnation_ = batch.incarnation();
  const uint64_t before = lease_.exchange(batch.lease());
  const bool fresh = before != batch.lease();
  *standing_lease_ = batch.lease();
  if (fresh) next_seq_ = batch.seq();
  if (const State was = state_.exchange(State::kUp); was != State::kUp || fresh) {
    if (was != State::kNew) spdlog::info("chat server {} is back", server_.id);
    if (before != 0 && fresh) spdlog::warn("chat server {} has forgotten this connector", server_.id);
    listener_.on_up(server_.id, incarnation_, fresh);
  }
  if (batch.seq() > next_seq_) {
    spdlog::error("events {} to {} of chat server {} are missing", next_seq_.load(), batch.seq() - 1,
                  server_.id);
  }
  next_seq_ = batch.seq() + static_cast<uint64_t>(batch.events_size());
  if (batch.events_size() > 0) listener_.on_events(server_.id, *batch.mutable_events());
}

// A stream that breaks is opened again at once.
void ChatLink::OnEnd(const grpc::Status& status) {
  const int64_t now_ms = SteadyNowMs();
  reachability_.Ended(status, now_ms);
  if (reachability_.MayTell(now_ms)) {
    spdlog::warn("chat server {} at {} cannot be reached: {}; trying again", server_.id,
                 server_.grpc_address(), status.error_message());
  }
  const State was = state_;
  if (was == State::kUp) {
    state_ = State::kDown;
    *standing_lease_ = 0;
    spdlog::warn("the stream from chat server {} at {} ended: {}; trying again", server_.id,
                 server_.grpc_address(), status.error_message());
  } else if (was != State::kLost && reachability_.lost()) {
    state_ = State::kLost;
    // Sessions may leave now whose places there are given up in vain. The server takes back by itself what is
    // not restored, when the grace of the old lease is over: so nobody may go on with that.
    lease_ = 0;
    listener_.on_lost(server_.id);
  }
}

}  // namespace hubbub::connector
