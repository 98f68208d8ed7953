#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "chat/leases.h"
#include "chat/owner_table.h"
#include "chat/room_table.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/peer.grpc.pb.h"
#include "services/mutex.h"
#include "services/rpc/latest_stream.h"
#include "services/string_map.h"

namespace hubbub::chat {

// The gRPC rim towards other chat servers: proto/hubbub/chat/v1/peer.proto. Never blocks. Thread-safe.
class PeerService final : public v1::PeerService::CallbackService {
 public:
  // All outlive this object. `ready`: OK while this server may serve.
  PeerService(std::string id, OwnerTable& owners, RoomTable& rooms, Leases& leases,
              std::function<absl::Status()> ready)
      : id_(std::move(id)), owners_(owners), rooms_(rooms), leases_(leases), ready_(std::move(ready)) {}

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
  absl::StatusOr<v1::ImportResponse> DoImport(const v1::ImportRequest& request)
      ABSL_LOCKS_EXCLUDED(import_mu_);

  // What was answered to the last batch of a chat server.
  struct LastImport {
    uint64_t incarnation = 0;
    uint64_t batch = 0;
    v1::ImportResponse answer;
  };
  // More chat servers than anybody runs; without a bound, whoever calls under ever new names could fill
  // memory.
  static constexpr size_t kMostImporters = 1'000;

  const std::string id_;
  OwnerTable& owners_;
  RoomTable& rooms_;
  Leases& leases_;
  const std::function<absl::Status()> ready_;
  Mutex import_mu_;
  StringMap<LastImport> imports_ ABSL_GUARDED_BY(import_mu_);
  Mutex mu_;
  absl::flat_hash_map<Stream*, Watcher> watchers_ ABSL_GUARDED_BY(mu_);
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hubbub::chat
