#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "chat/chat_log.h"
#include "chat/cluster/chat_cluster.h"
#include "chat/rooms/room_table.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/history.grpc.pb.h"

namespace hubbub::chat {

// The gRPC rim of the store's history. The contract is proto/hubbub/chat/v1/history.proto. Never blocks.
// Thread-safe.
class HistoryService final : public v1::HistoryService::CallbackService {
 public:
  // `id`: this server's, for texts. `log` may be null: history is not durable. All outlive this object.
  HistoryService(std::string id, ChatLog* log, ChatCluster& cluster, RoomTable& rooms)
      : id_(std::move(id)), log_(log), cluster_(cluster), rooms_(rooms) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::Event>* ExportEvents(grpc::CallbackServerContext* context,
                                                    const v1::ExportEventsRequest* request) override;
  grpc::ServerUnaryReactor* DeleteRoom(grpc::CallbackServerContext* context,
                                       const v1::DeleteRoomRequest* request,
                                       v1::DeleteRoomResponse* response) override;

 private:
  class Export;

  // OK if there is history to speak of.
  absl::Status Ready() const;
  // Deletes as the owner of the room.
  void DeleteHere(const std::string& room, const std::function<void(const absl::Status&, uint64_t)>& done);

  const std::string id_;
  ChatLog* const log_;
  ChatCluster& cluster_;
  RoomTable& rooms_;
};

}  // namespace hubbub::chat
