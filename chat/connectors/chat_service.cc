#include "chat/connectors/chat_service.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "chat/connectors/check_request.h"
#include "chat/connectors/event_proto.h"
#include "chat/connectors/page_token.h"
#include "chat/connectors/pending_send.h"
#include "chat/connectors/room_proto.h"
#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/rpc/access.h"
#include "services/rpc/grpc_status.h"
#include "services/rpc/refused_stream.h"

namespace hubbub::chat {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

using RefusedStream = rpc::RefusedStream<v1::SubscribeResponse>;

// For a call whose reactor nobody has yet.
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const absl::Status& status) {
  return FinishCall(context, context->DefaultReactor(), status);
}

using Async = v1::ChatService::StubInterface::async_interface;

}  // namespace

grpc::ServerUnaryReactor* ChatService::Add(grpc::CallbackServerContext* context,
                                           const v1::AddRequest* request, v1::AddResponse* response) {
  absl::Status status = CheckRequest(*request);
  if (status.ok()) status = DoAdd(*request, *response);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (!IsBeingRead(status)) return FinishCall(context, reactor, status);
  reads_.Retry(
      request->room(), [this, request, response] { return DoAdd(*request, *response); },
      [context, reactor](const absl::Status& done) { FinishCall(context, reactor, done); });
  return reactor;
}

grpc::ServerUnaryReactor* ChatService::Kick(grpc::CallbackServerContext* context,
                                            const v1::KickRequest* request, v1::KickResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  // A lease is this server's own, even if another server owns the room by now.
  if (request->lease() != 0) return Answer(context, DoKick(*request, *response));
  return OwnerDoes(context, request, response, &Async::Kick, &ChatService::DoKick);
}

grpc::ServerUnaryReactor* ChatService::Send(grpc::CallbackServerContext* context,
                                            const v1::SendRequest* request, v1::SendResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  // Cancelled: PendingSend ends the call.
  const auto attempt = [=, this]() -> absl::Status {
    SendTicket ticket{std::make_shared<PendingSend>(context, reactor, response)};
    const absl::StatusOr<SendResult> sent = SendFrom({}, *request, nullptr, ticket);
    if (sent.ok() && sent->pending) return absl::CancelledError();
    if (sent.ok()) ToProto(*sent, response);
    return sent.status();
  };
  const auto finish = [=, this](const absl::Status& status) {
    if (!absl::IsCancelled(status)) OrOwner(context, reactor, request, response, &Async::Send, status);
  };
  const absl::Status status = attempt();
  if (IsBeingRead(status)) {
    reads_.Retry(request->room(), attempt, finish);
  } else {
    finish(status);
  }
  return reactor;
}

grpc::ServerUnaryReactor* ChatService::GetRoom(grpc::CallbackServerContext* context,
                                               const v1::GetRoomRequest* request,
                                               v1::GetRoomResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  return OwnerDoes(context, request, response, &Async::GetRoom, &ChatService::DoGetRoom);
}

grpc::ServerUnaryReactor* ChatService::ListRooms(grpc::CallbackServerContext* context,
                                                 const v1::ListRoomsRequest* request,
                                                 v1::ListRoomsResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  return Answer(context, DoListRooms(*request, *response));
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* ChatService::Subscribe(grpc::CallbackServerContext* context,
                                                                        const v1::SubscribeRequest* request) {
  if (const absl::Status status = rpc::MaySpeakFor(*context, rpc::Role::kConnector, request->connector());
      !status.ok())
    return new RefusedStream(rpc::ToGrpc(status));
  if (const absl::Status status = CheckRequest(*request); !status.ok())
    return new RefusedStream(rpc::ToGrpc(status));
  const auto stream = leases_.Subscribe(request->connector(), request->lease(), request->next_seq(),
                                        context->peer(), request->incarnation());
  return stream.ok() ? *stream : new RefusedStream(rpc::ToGrpc(stream.status()));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ChatService::SendStream(
    grpc::CallbackServerContext*) {
  auto* const stream = new SendReactor([this](const v1::ChainedSend& send, Gather& gather,
                                              SendTicket& ticket) { return DoSend(send, gather, ticket); },
                                       [this](SendReactor* done) {
                                         MutexLock lock(mu_);
                                         send_streams_.erase(done);
                                       });
  MutexLock lock(mu_);
  send_streams_.insert(stream);
  if (shut_down_) stream->End(rpc::ToGrpc(ShuttingDown()));
  return stream;
}

grpc::ServerUnaryReactor* ChatService::Restore(grpc::CallbackServerContext* context,
                                               const v1::RestoreRequest* request,
                                               v1::RestoreResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  const CallGate::Pass pass(gate_);
  if (!pass) return Answer(context, ShuttingDown());
  if (const absl::Status status = Ready(); !status.ok()) return Answer(context, status);
  const absl::StatusOr<SubscriberPtr> subscriber = leases_.Find(request->lease());
  if (!subscriber.ok()) return Answer(context, subscriber.status());

  const std::string& lost = request->lost_server();
  LossReport report = ReportOf(*request, *subscriber, SteadyNowMs());
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const RestoreDone finish = [response, reactor](const RestoreResults& results) {
    ToProto(results, *response);
    reactor->Finish(grpc::Status::OK);
  };
  Cluster::Loss loss = Cluster::Loss::kRecovered;
  if (!lost.empty() && cluster_ != nullptr) {
    loss = cluster_->Report(lost, request->lost_incarnation(), report, finish);
  }
  if (loss == Cluster::Loss::kBeingRecovered) return reactor;
  if (loss == Cluster::Loss::kNotLost) {
    // A report before this server has noticed the loss would not count towards the recovery: the connector
    // must report again.
    reactor->Finish(
        {grpc::StatusCode::FAILED_PRECONDITION,
         fmt::format("chat server \"{}\" is not lost, as far as \"{}\" knows: tell again if it is", lost,
                     id_)});
    return reactor;
  }
  reads_.Restore(lost.empty(), std::move(report), finish);
  return reactor;
}

void ChatService::Shutdown() {
  // First no new events, then the end of the streams: what was accepted is sent.
  gate_.Close();
  {
    MutexLock lock(mu_);
    shut_down_ = true;
    for (SendReactor* stream : send_streams_) stream->End(rpc::ToGrpc(ShuttingDown()));
  }
  leases_.Shutdown();
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ChatService::OwnerDoes(grpc::CallbackServerContext* context, const Request* request,
                                                 Response* response, AsyncMethod<Request, Response> there,
                                                 absl::Status (ChatService::*here)(const Request&,
                                                                                   Response&)) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  return OrOwner(context, reactor, request, response, there, (this->*here)(*request, *response));
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ChatService::OrOwner(grpc::CallbackServerContext* context,
                                               grpc::ServerUnaryReactor* reactor, const Request* request,
                                               Response* response, AsyncMethod<Request, Response> there,
                                               const absl::Status& status) {
  const OwnerStub owner = ForwardTo(status, *context, cluster_);
  if (owner == nullptr) return FinishCall(context, reactor, status);
  Forward(owner, there, *context, request, response, reactor, cluster_);
  return reactor;
}

absl::Status ChatService::DoAdd(const v1::AddRequest& request, v1::AddResponse& response) {
  const CallGate::Pass pass(gate_);
  if (!pass) return ShuttingDown();
  if (absl::Status status = Ready(); !status.ok()) return status;
  absl::StatusOr<SubscriberPtr> subscriber = leases_.Find(request.lease());
  if (!subscriber.ok()) return subscriber.status();
  std::optional<SeenPoint> seen;
  if (request.epoch() != 0) seen = SeenPoint{.epoch = request.epoch(), .offset = request.offset()};
  absl::StatusOr<AddResult> added = rooms_.Add(request.room(), request.user(),
                                               {.subscriber = *std::move(subscriber),
                                                .session = request.session(),
                                                .token = request.token(),
                                                .address = request.client_address(),
                                                .wait_ms = request.wait_ms(),
                                                .attempt = request.attempt(),
                                                .asked_ms = AskedMs(request, SteadyNowMs())},
                                               request.resume_token(), seen);
  if (!added.ok()) return added.status();
  ToProto(*std::move(added), response);
  return absl::OkStatus();
}

absl::Status ChatService::DoKick(const v1::KickRequest& request, v1::KickResponse& response) {
  const CallGate::Pass pass(gate_);
  if (!pass) return ShuttingDown();
  if (absl::Status status = Ready(); !status.ok()) return status;
  std::optional<KeepName> keep;
  if (request.keep_name()) keep = KeepName{.wait_ms = request.wait_ms()};
  const absl::StatusOr<uint64_t> offset =
      request.lease() != 0
          ? rooms_.KickPlace(request.room(), request.user(), {request.lease(), request.session()}, keep)
          : rooms_.Kick(request.room(), request.user());
  if (!offset.ok()) return offset.status();
  response.set_offset(*offset);
  return absl::OkStatus();
}

absl::StatusOr<SendResult> ChatService::DoSend(const v1::ChainedSend& send, Gather& gather,
                                               SendTicket& ticket) {
  absl::StatusOr<SendResult> sent = SendFrom({send.lease(), send.session()}, send.send(), &gather, ticket);
  // Asked afterwards: the end of a lease comes before that of its places.
  if (absl::IsPermissionDenied(sent.status())) {
    const absl::StatusOr<SubscriberPtr> subscriber = leases_.Find(send.lease());
    if (!subscriber.ok()) return subscriber.status();
    if ((*subscriber)->ended()) return LeaseHasEnded(**subscriber);
  }
  return sent;
}

absl::StatusOr<SendResult> ChatService::SendFrom(PlaceId sender, const v1::SendRequest& request,
                                                 Gather* gather, SendTicket& ticket) {
  const CallGate::Pass pass(gate_);
  if (!pass) return ShuttingDown();
  if (absl::Status status = Ready(); !status.ok()) return status;
  const std::string_view target = request.target().empty() ? std::string_view(kEverybody) : request.target();
  return rooms_.Send(request.room(), request.from(), target, request.content(), request.id(), sender, gather,
                     &ticket);
}

absl::Status ChatService::DoGetRoom(const v1::GetRoomRequest& request, v1::GetRoomResponse& response) {
  absl::StatusOr<RoomInfo> info = rooms_.Get(request.room());
  if (!info.ok()) return info.status();
  response.set_room(request.room());
  ToProto(*std::move(info), response);
  return absl::OkStatus();
}

absl::Status ChatService::DoListRooms(const v1::ListRoomsRequest& request, v1::ListRoomsResponse& response) {
  const int asked = request.page_size() == 0 ? kDefaultPageSize : std::min(request.page_size(), kMaxPageSize);
  const absl::StatusOr<std::string> after = RoomOfPageToken(id_, request.page_token());
  if (!after.ok()) return after.status();
  RoomPage page = rooms_.List(static_cast<size_t>(asked), *after);
  if (page.more) response.set_next_page_token(PageTokenAfter(id_, page.rooms.back().room));
  for (RoomSummary& r : page.rooms) {
    v1::RoomSummary* const room = response.add_rooms();
    room->set_room(std::move(r.room));
    room->set_members(static_cast<uint32_t>(r.members));
    room->set_offset(r.offset);
  }
  return absl::OkStatus();
}

absl::Status ChatService::Ready() const {
  return cluster_ == nullptr ? absl::OkStatus() : cluster_->Ready();
}

absl::Status ChatService::ShuttingDown() const {
  return absl::UnavailableError(fmt::format("chat server \"{}\" is shutting down", id_));
}

}  // namespace hubbub::chat
