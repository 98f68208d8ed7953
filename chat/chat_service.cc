#include "chat/chat_service.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "chat/check_request.h"
#include "chat/event_proto.h"
#include "chat/owner_table.h"
#include "chat/page_token.h"
#include "fmt/format.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::chat {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

// A stream that is over before it has begun.
class RefusedStream final : public grpc::ServerWriteReactor<v1::SubscribeResponse> {
 public:
  explicit RefusedStream(grpc::Status status) { Finish(std::move(status)); }

 private:
  void OnDone() override { delete this; }
};

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (const std::string owner = OwnerIn(status); !owner.empty())
    context->AddTrailingMetadata(kOwnerKey, owner);
  reactor->Finish(ToGrpc(status));
  return reactor;
}

using Async = v1::ChatService::StubInterface::async_interface;

}  // namespace

grpc::ServerUnaryReactor* ChatService::Add(grpc::CallbackServerContext* context,
                                           const v1::AddRequest* request, v1::AddResponse* response) {
  absl::Status status = CheckRequest(*request);
  if (status.ok()) status = DoAdd(*request, *response);
  return Answer(context, status);
}

grpc::ServerUnaryReactor* ChatService::Kick(grpc::CallbackServerContext* context,
                                            const v1::KickRequest* request, v1::KickResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  // A lease is this server's own, whoever owns the room by now.
  if (request->lease() != 0) return Answer(context, DoKick(*request, *response));
  return OwnerDoes(context, request, response, &Async::Kick, &ChatService::DoKick);
}

grpc::ServerUnaryReactor* ChatService::Send(grpc::CallbackServerContext* context,
                                            const v1::SendRequest* request, v1::SendResponse* response) {
  if (const absl::Status status = CheckRequest(*request); !status.ok()) return Answer(context, status);
  return OwnerDoes(context, request, response, &Async::Send, &ChatService::DoSend);
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
  if (const absl::Status status = CheckRequest(*request); !status.ok())
    return new RefusedStream(ToGrpc(status));
  const auto stream = leases_.Subscribe(request->connector(), request->lease(), request->next_seq(),
                                        context->peer(), request->incarnation());
  return stream.ok() ? *stream : new RefusedStream(ToGrpc(stream.status()));
}

grpc::ServerBidiReactor<v1::SendStreamRequest, v1::SendStreamResponse>* ChatService::SendStream(
    grpc::CallbackServerContext*) {
  auto* const stream = new chat::SendStream(
      [this](const v1::ChainedSend& send, v1::SendResponse& response) { return DoSend(send, response); },
      [this](chat::SendStream* done) {
        MutexLock lock(mu_);
        send_streams_.erase(done);
      });
  MutexLock lock(mu_);
  send_streams_.insert(stream);
  if (shut_down_) stream->End(ToGrpc(ShuttingDown()));
  return stream;
}

void ChatService::Shutdown() {
  // First no new events, then the end of the streams: what was accepted is sent.
  gate_.Close();
  {
    MutexLock lock(mu_);
    shut_down_ = true;
    for (chat::SendStream* stream : send_streams_) stream->End(ToGrpc(ShuttingDown()));
  }
  leases_.Shutdown();
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ChatService::OwnerDoes(grpc::CallbackServerContext* context, const Request* request,
                                                 Response* response, AsyncMethod<Request, Response> there,
                                                 absl::Status (ChatService::*here)(const Request&,
                                                                                   Response&)) {
  const absl::Status status = (this->*here)(*request, *response);
  const OwnerStub owner = ForwardTo(status, *context, cluster_.stub_of);
  if (owner == nullptr) return Answer(context, status);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  Forward(owner, there, *context, request, response, reactor);
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
                                                .wait_ms = request.wait_ms()},
                                               request.resume_token(), seen);
  if (!added.ok()) return added.status();
  response.mutable_users()->Reserve(static_cast<int>(added->users.size()));
  for (std::string& user : added->users) response.add_users(std::move(user));
  response.set_total(static_cast<uint32_t>(added->total));
  response.set_epoch(added->epoch);
  response.set_offset(added->offset);
  response.set_resumed(added->resumed);
  response.set_recovered(added->missed.has_value());
  if (added->missed) {
    for (const EventPtr& event : *added->missed) ToProto(*event, response.add_missed_events());
  }
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

absl::Status ChatService::DoSend(const v1::ChainedSend& send, v1::SendResponse& response) {
  absl::Status status = SendFrom({send.lease(), send.session()}, send.send(), response);
  // Asked afterwards: the end of a lease comes before that of its places.
  if (absl::IsPermissionDenied(status)) {
    const absl::StatusOr<SubscriberPtr> subscriber = leases_.Find(send.lease());
    if (!subscriber.ok()) return subscriber.status();
    if ((*subscriber)->ended()) return LeaseHasEnded(**subscriber);
  }
  return status;
}

absl::Status ChatService::SendFrom(PlaceId sender, const v1::SendRequest& request,
                                   v1::SendResponse& response) {
  const CallGate::Pass pass(gate_);
  if (!pass) return ShuttingDown();
  if (absl::Status status = Ready(); !status.ok()) return status;
  const std::string_view target = request.target().empty() ? std::string_view(kEverybody) : request.target();
  const absl::StatusOr<SendResult> sent =
      rooms_.Send(request.room(), request.from(), target, request.content(), request.id(), sender);
  if (!sent.ok()) return sent.status();
  response.set_offset(sent->offset);
  response.set_epoch(sent->epoch);
  response.set_time_ms(sent->time_ms);
  response.set_recipients(static_cast<uint32_t>(sent->recipients));
  response.set_repeated(sent->repeated);
  return absl::OkStatus();
}

absl::Status ChatService::DoGetRoom(const v1::GetRoomRequest& request, v1::GetRoomResponse& response) {
  absl::StatusOr<RoomInfo> info = rooms_.Get(request.room());
  if (!info.ok()) return info.status();
  response.set_room(request.room());
  response.set_total(static_cast<uint32_t>(info->total));
  response.set_epoch(info->epoch);
  response.set_offset(info->offset);
  for (MemberInfo& m : info->members) {
    v1::Member* const member = response.add_members();
    member->set_user(std::move(m.user));
    member->set_connector(std::move(m.connector));
    member->set_session(m.session);
  }
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
  return cluster_.ready ? cluster_.ready() : absl::OkStatus();
}

absl::Status ChatService::ShuttingDown() const {
  return absl::UnavailableError(fmt::format("chat server \"{}\" is shutting down", id_));
}

}  // namespace hubbub::chat
