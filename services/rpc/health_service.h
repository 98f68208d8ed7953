#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/support/server_callback.h"
#include "services/mutex.h"
#include "services/rpc/latest_stream.h"
#include "services/string_map.h"

namespace hubbub::rpc {

// Says whether a server, and each of its services, serves: proto/grpc/health/v1/health.proto. All of a
// server's services serve or do not serve together. Thread-safe. Owned by Server; outlives the gRPC server.
//
// gRPC has a health service of its own, whose types reflection does not know, and whose Watch keeps a thread.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  using ListRequest = grpc::health::v1::HealthListRequest;
  using ListResponse = grpc::health::v1::HealthListResponse;

  // Full names. Once, before anybody asks.
  void SetServices(const std::vector<std::string>& services) ABSL_LOCKS_EXCLUDED(mu_);
  // From the start it serves. After Shutdown it stays as it is.
  void SetServing(bool serving) ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing serves any more, and all Watch streams end once they have told so.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mu_);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override ABSL_LOCKS_EXCLUDED(mu_);
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const ListRequest* request,
                                 ListResponse* response) override ABSL_LOCKS_EXCLUDED(mu_);
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context,
                                            const Request* request) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Stream = LatestStream<Response>;

  Response Status() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  StringSet services_ ABSL_GUARDED_BY(mu_) = {""};  // The empty name is the whole server.
  bool serving_ ABSL_GUARDED_BY(mu_) = true;
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
  // Whether its service is one of this server: only those have news.
  absl::flat_hash_map<Stream*, bool> watchers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::rpc
