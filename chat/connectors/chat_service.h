#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/connectors/call_gate.h"
#include "chat/connectors/cluster.h"
#include "chat/connectors/forward.h"
#include "chat/connectors/leases.h"
#include "chat/connectors/room_reads.h"
#include "chat/connectors/send_reactor.h"
#include "chat/rooms/room_table.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// As v1::ChatService::CallbackService, but for SendStream, whose messages come as bytes (SendReactor).
using ChatServiceBase = v1::ChatService::WithCallbackMethod_Add<
    v1::ChatService::WithCallbackMethod_Kick<v1::ChatService::WithCallbackMethod_Send<
        v1::ChatService::WithRawCallbackMethod_SendStream<v1::ChatService::WithCallbackMethod_Subscribe<
            v1::ChatService::WithCallbackMethod_Restore<v1::ChatService::WithCallbackMethod_GetRoom<
                v1::ChatService::WithCallbackMethod_ListRooms<v1::ChatService::Service>>>>>>>>;

// The gRPC rim of a chat server: checks fields, finds the room's owner, and speaks for RoomTable and Leases.
// The contract is proto/hubbub/chat/v1/chat.proto. Never blocks but in Shutdown. Thread-safe.
class ChatService final : public ChatServiceBase {
 public:
  // `id` is this chat server's, for texts. `rooms`, `leases` and `cluster`, which may be null, outlive this
  // object.
  ChatService(std::string id, RoomTable& rooms, Leases& leases, Cluster* cluster = nullptr)
      : id_(std::move(id)), rooms_(rooms), leases_(leases), cluster_(cluster) {}

  grpc::ServerUnaryReactor* Add(grpc::CallbackServerContext* context, const v1::AddRequest* request,
                                v1::AddResponse* response) override;
  grpc::ServerUnaryReactor* Kick(grpc::CallbackServerContext* context, const v1::KickRequest* request,
                                 v1::KickResponse* response) override;
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context, const v1::SendRequest* request,
                                 v1::SendResponse* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* SendStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                             const v1::SubscribeRequest* request) override;
  grpc::ServerUnaryReactor* Restore(grpc::CallbackServerContext* context, const v1::RestoreRequest* request,
                                    v1::RestoreResponse* response) override;
  grpc::ServerUnaryReactor* GetRoom(grpc::CallbackServerContext* context, const v1::GetRoomRequest* request,
                                    v1::GetRoomResponse* response) override;
  grpc::ServerUnaryReactor* ListRooms(grpc::CallbackServerContext* context,
                                      const v1::ListRoomsRequest* request,
                                      v1::ListRoomsResponse* response) override;

  // Answers UNAVAILABLE to all that comes from now on, and ends the streams once they have sent what was
  // accepted before. The streams may still be there when it returns; shutting the gRPC server down waits for
  // them.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Does it here if the room is here or may be, otherwise asks the owner by the method `there`.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* OwnerDoes(grpc::CallbackServerContext* context, const Request* request,
                                      Response* response, AsyncMethod<Request, Response> there,
                                      absl::Status (ChatService::*here)(const Request&, Response&));
  // Finishes `reactor` with `status`, or with what the owner answers whom it names.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* OrOwner(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
                                    const Request* request, Response* response,
                                    AsyncMethod<Request, Response> there, const absl::Status& status);

  // OK if this server serves now.
  absl::Status Ready() const;

  // These do the work of the calls of the same name, with fields that have been checked.
  absl::Status DoAdd(const v1::AddRequest& request, v1::AddResponse& response);
  absl::Status DoKick(const v1::KickRequest& request, v1::KickResponse& response);
  // A send of a SendStream.
  absl::StatusOr<SendResult> DoSend(const v1::ChainedSend& send, Gather& gather, SendTicket& ticket);
  absl::StatusOr<SendResult> SendFrom(PlaceId sender, const v1::SendRequest& request, Gather* gather,
                                      SendTicket& ticket);
  absl::Status DoGetRoom(const v1::GetRoomRequest& request, v1::GetRoomResponse& response);
  absl::Status DoListRooms(const v1::ListRoomsRequest& request, v1::ListRoomsResponse& response);
  absl::Status ShuttingDown() const;

  const std::string id_;
  RoomTable& rooms_;
  Leases& leases_;
  Cluster* const cluster_;
  RoomReads reads_{rooms_};
  CallGate gate_;
  Mutex mu_;
  absl::flat_hash_set<SendReactor*> send_streams_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
