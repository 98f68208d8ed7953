#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/support/server_callback.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"
#include "services/rpc/latest_stream.h"

namespace hubbub::rpc {

// Says whether a server, and each of its services, serves: proto/grpc/health/v1/health.proto. All of a
// server's services serve or do not serve together. A part, such as a database that the server needs, has a
// name and a status of its own, so that people see which part is down. Thread-safe. Owned by Server; outlives
// the gRPC server.
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
  // `part` has this status, until Shutdown. It is there from its first status on.
  void SetPart(const std::string& part, bool serving) ABSL_LOCKS_EXCLUDED(mu_);
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

  // The status of a service or part of this name; SERVICE_UNKNOWN if there is none.
  Response StatusOf(const std::string& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  StringSet services_ ABSL_GUARDED_BY(mu_) = {""};  // The empty name is the whole server.
  StringMap<bool> parts_ ABSL_GUARDED_BY(mu_);
  bool serving_ ABSL_GUARDED_BY(mu_) = true;
  bool shut_down_ ABSL_GUARDED_BY(mu_) = false;
  struct Watcher {
    std::string name;
    Response::ServingStatus told = Response::UNKNOWN;
  };
  absl::flat_hash_map<Stream*, Watcher> watchers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::rpc
