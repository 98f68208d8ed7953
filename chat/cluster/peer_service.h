#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/cluster/slot_keeper.h"
#include "chat/cluster/slot_table.h"
#include "chat/connectors/cluster.h"
#include "chat/connectors/leases.h"
#include "chat/rooms/room_table.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"
#include "services/rpc/latest_stream.h"

namespace hubbub::chat {

// The gRPC rim towards other chat servers: proto/hubbub/chat/v1/peer.proto. Never blocks. Thread-safe.
class PeerService final : public v1::PeerService::CallbackService {
 public:
  // All outlive this object; the keeper is stopped before. `id`: this server's.
  PeerService(std::string id, const Cluster& cluster, SlotTable& slots, SlotKeeper& keeper, RoomTable& rooms,
              Leases& leases)
      : id_(std::move(id)),
        cluster_(cluster),
        slots_(slots),
        keeper_(keeper),
        rooms_(rooms),
        leases_(leases) {}

  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Import(grpc::CallbackServerContext* context, const v1::ImportRequest* request,
                                   v1::ImportResponse* response) override;

  // Ends the streams, so that the server can shut down.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Stream = rpc::LatestStream<v1::WatchResponse>;
  using Done = std::function<void(const absl::StatusOr<v1::ImportResponse>&)>;
  // The last batch of a chat server, and what was answered.
  struct LastImport {
    uint64_t incarnation = 0;
    uint64_t batch = 0;
    bool under_way = true;
    v1::ImportResponse answer = {};
  };

  // OK if the batch is to be done; it is under way then.
  absl::Status Begin(const v1::ImportRequest& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(import_mu_);
  void OnClaimed(const v1::ImportRequest& request, const absl::StatusOr<SlotKeeper::Slots>& claimed,
                 const Done& done) ABSL_LOCKS_EXCLUDED(import_mu_);
  void TakeRooms(const v1::ImportRequest& request, const SlotKeeper::Slots& claimed);

  // More chat servers than anybody runs; without a bound, a caller that uses ever new names could fill
  // memory.
  static constexpr size_t kMostImporters = 1'000;

  const std::string id_;
  const Cluster& cluster_;
  SlotTable& slots_;
  SlotKeeper& keeper_;
  RoomTable& rooms_;
  Leases& leases_;
  Mutex import_mu_;
  StringMap<LastImport> imports_ ABSL_GUARDED_BY(import_mu_);
  Mutex mu_;
  absl::flat_hash_set<Stream*> streams_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
