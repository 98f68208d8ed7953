#include "chat/cluster/peer_links.h"

#include <chrono>
#include <utility>

#include "chat/connectors/room_proto.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/base/clock.h"
#include "services/rpc/channel.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/reachability.h"
#include "services/rpc/retry.h"
#include "services/rpc/stream_keeper.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

class PeerLinks::Link {
 public:
  Link(SlotTable::Peer server, PeerLinks& links)
      : server_(std::move(server)),
        links_(links),
        channel_(rpc::MakeChannel(server_.address, links.credentials_)),
        chat_(v1::ChatService::NewStub(channel_)),
        history_(v1::HistoryService::NewStub(channel_)),
        peer_(v1::PeerService::NewStub(channel_)),
        reachability_(SteadyNowMs()),
        stream_({
            .open = [this](auto* context, const auto* request,
                           auto* reactor) { peer_->async()->Watch(context, request, reactor); },
            .request =
                [this] {
                  v1::WatchRequest request;
                  request.set_server(links_.id_);
                  request.set_contract(kPeerContract);
                  request.set_incarnation(links_.slots_.incarnation());
                  return request;
                },
            .on_message = [this](v1::WatchResponse& status) { OnStatus(status); },
            .on_end = [this](const grpc::Status& status) { OnEnd(status); },
        }) {}

  const OwnerStub& chat() const { return chat_; }
  const std::shared_ptr<v1::HistoryService::StubInterface>& history() const { return history_; }
  v1::PeerService::Stub& peer() { return *peer_; }
  void Start() { stream_.Start(); }
  void Stop() { stream_.Stop(); }

 private:
  void OnStatus(const v1::WatchResponse& status) {
    reachability_.Heard();
    if (status.server() != server_.id) {
      if (!std::exchange(complained_, true)) {
        spdlog::error(
            "at {} the store has chat server {}, but it says that it is {}: each chat server needs an "
            "address "
            "of its own",
            server_.address, server_.id, status.server());
      }
      return;
    }
    complained_ = false;
    // Another run listens there: the store says what has become of this one.
    if (status.incarnation() != server_.incarnation) links_.keeper_.Wake();
  }

  // A stream that breaks is opened again at once.
  void OnEnd(const grpc::Status& status) {
    const int64_t now_ms = SteadyNowMs();
    const bool stood = reachability_.heard();
    reachability_.Ended(status, now_ms);
    if (stood) {
      links_.keeper_.Wake();  // It may have left.
      return;
    }
    if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
      if (!std::exchange(complained_, true)) spdlog::error("{}", status.error_message());
      return;
    }
    if (reachability_.MayTell(now_ms)) {
      spdlog::warn("chat server {} at {} cannot be reached: {}", server_.id, server_.address,
                   status.error_message());
    }
    if (rpc::Reachability::Refused(status)) links_.keeper_.Refused(server_.incarnation);
  }

  const SlotTable::Peer server_;
  PeerLinks& links_;
  bool complained_ = false;  // Of the stream's callbacks.
  const std::shared_ptr<grpc::Channel> channel_;
  const OwnerStub chat_;
  const std::shared_ptr<v1::HistoryService::StubInterface> history_;
  const std::unique_ptr<v1::PeerService::Stub> peer_;
  rpc::Reachability reachability_;  // Of the stream's callbacks.
  rpc::StreamKeeper<v1::WatchRequest, v1::WatchResponse> stream_;
};

PeerLinks::PeerLinks(std::string id, const SlotTable& slots, SlotKeeper& keeper, rpc::Credentials credentials)
    : id_(std::move(id)),
      credentials_(std::move(credentials)),
      slots_(slots),
      keeper_(keeper),
      links_({.make = [this](const auto& server) { return std::make_shared<Link>(server, *this); },
              .start = [](Link& link) { link.Start(); },
              .stop = [](Link& link) { link.Stop(); }}) {}

void PeerLinks::Update() {
  links_.Update([this] { return slots_.Peers(); });
}

OwnerStub PeerLinks::StubOf(const std::string& server_id) const {
  const auto link = links_.Find(server_id);
  return link == nullptr ? nullptr : link->chat();
}

std::shared_ptr<v1::HistoryService::StubInterface> PeerLinks::HistoryOf(const std::string& server_id) const {
  const auto link = links_.Find(server_id);
  return link == nullptr ? nullptr : link->history();
}

void PeerLinks::Import(const std::string& server_id, const HandOver::BatchPtr& batch,
                       HandOver::Done done) const {
  struct Call {
    std::shared_ptr<Link> link;
    v1::ImportRequest request = {};
    v1::ImportResponse response = {};
    grpc::ClientContext context = {};
  };
  auto call = std::make_shared<Call>();
  call->link = links_.Find(server_id);
  if (call->link == nullptr) return done(absl::AbortedError("there is no line to this chat server yet"));
  call->request.set_server(id_);
  call->request.set_incarnation(slots_.incarnation());
  call->request.set_batch(batch->number);
  for (const SlotGeneration& slot : batch->slots) {
    v1::Slot* const offered = call->request.add_slots();
    offered->set_slot(static_cast<uint32_t>(slot.slot));
    offered->set_generation(slot.generation);
  }
  for (const RoomState& room : batch->rooms) ToProto(room, SteadyNowMs(), call->request.add_rooms());
  call->context.set_deadline(std::chrono::system_clock::now() + rpc::kCallDeadline);
  call->link->peer().async()->Import(
      &call->context, &call->request, &call->response,
      [call, done = std::move(done)](const grpc::Status& status) {
        if (!status.ok()) return done(rpc::FromGrpc(status));
        HandOver::Taken taken;
        for (const v1::Slot& slot : call->response.slots())
          taken.push_back({.slot = static_cast<int>(slot.slot()), .generation = slot.generation()});
        done(std::move(taken));
      });
}

}  // namespace hubbub::chat
