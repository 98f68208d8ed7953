#include "connector/chat_link.h"

#include <utility>

#include "services/rpc/channel.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {

using chat::v1::SubscribeRequest;
using chat::v1::SubscribeResponse;

ChatLink::ChatLink(ServerInfo server, std::string connector_id, OnEvents on_events, OnNewLease on_new_lease)
    : server_(std::move(server)),
      connector_id_(std::move(connector_id)),
      on_events_(std::move(on_events)),
      on_new_lease_(std::move(on_new_lease)),
      stub_(chat::v1::ChatService::NewStub(rpc::MakeChannel(server_.grpc_address()))),
      stream_({
          .open = [this](auto* context, const auto* request,
                         auto* reactor) { stub_->async()->Subscribe(context, request, reactor); },
          .request =
              [this] {
                SubscribeRequest request;
                request.set_connector(connector_id_);
                request.set_lease(lease_);
                request.set_next_seq(next_seq_);
                return request;
              },
          .on_message = [this](SubscribeResponse& batch) { OnBatch(batch); },
          .on_end =
              [this](const grpc::Status& status) {
                if (!reachable_.exchange(false)) return;
                spdlog::warn("the stream from chat server {} at {} ended: {}; trying again", server_.id,
                             server_.grpc_address(), status.error_message());
              },
      }) {}

void ChatLink::OnBatch(SubscribeResponse& batch) {
  const uint64_t before = lease_.exchange(batch.lease());
  if (before != batch.lease()) next_seq_ = batch.seq();
  if (!reachable_.exchange(true)) spdlog::info("chat server {} is back", server_.id);
  if (before != 0 && before != batch.lease()) {
    spdlog::warn("chat server {} has forgotten this connector: its members are added again", server_.id);
    on_new_lease_(server_.id, batch.lease());
  }
  if (batch.seq() > next_seq_) {
    spdlog::error("events {} to {} of chat server {} are missing", next_seq_.load(), batch.seq() - 1,
                  server_.id);
  }
  next_seq_ = batch.seq() + static_cast<uint64_t>(batch.events_size());
  if (batch.events_size() > 0) on_events_(batch.events());
}

}  // namespace hubbub::connector
