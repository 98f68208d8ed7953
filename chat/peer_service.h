#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "chat/leases.h"
#include "chat/owner_table.h"
#include "chat/room_table.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/mutex.h"
#include "services/rpc/latest_stream.h"

namespace hubbub::chat {

// The gRPC rim towards other chat servers: proto/hubbub/chat/v1/peer.proto. Never blocks. Thread-safe.
class PeerService final : public v1::PeerService::CallbackService {
 public:
  // All outlive this object. `ready`: OK while this server may serve.
  PeerService(std::string id, std::function<uint64_t()> incarnation, OwnerTable& owners, RoomTable& rooms,
              Leases& leases, std::function<absl::Status()> ready)
      : id_(std::move(id)),
        incarnation_(std::move(incarnation)),
        owners_(owners),
        rooms_(rooms),
        leases_(leases),
        ready_(std::move(ready)) {}

  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Import(grpc::CallbackServerContext* context, const v1::ImportRequest* request,
                                   v1::ImportResponse* response) override;

  // Tells each peer its status, if that has changed.
  void Tell() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the streams, so that the server can shut down.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Stream = rpc::LatestStream<v1::WatchResponse>;
  struct Watcher {
    std::string peer;
    std::string last;  // What it was told.
  };

  void TellOne(Stream& stream, Watcher& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status DoImport(const v1::ImportRequest& request);

  const std::string id_;
  const std::function<uint64_t()> incarnation_;
  OwnerTable& owners_;
  RoomTable& rooms_;
  Leases& leases_;
  const std::function<absl::Status()> ready_;
  Mutex mu_;
  absl::flat_hash_map<Stream*, Watcher> watchers_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
