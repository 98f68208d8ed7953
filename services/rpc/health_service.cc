#include "services/rpc/health_service.h"

#include <utility>

namespace hubbub::rpc {

void HealthService::SetServices(const std::vector<std::string>& services) {
  MutexLock lock(mu_);
  services_.insert(services.begin(), services.end());
}

HealthService::Response HealthService::Status() const {
  Response response;
  response.set_status(serving_ ? Response::SERVING : Response::NOT_SERVING);
  return response;
}

void HealthService::SetServing(bool serving) {
  MutexLock lock(mu_);
  if (shut_down_ || std::exchange(serving_, serving) == serving) return;
  for (const auto& [watcher, known] : watchers_) {
    if (known) watcher->Offer(Status());
  }
}

void HealthService::Shutdown() {
  SetServing(false);
  MutexLock lock(mu_);
  shut_down_ = true;
  for (const auto& [watcher, known] : watchers_)
    watcher->End({grpc::StatusCode::UNAVAILABLE, "this server is shutting down"});
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const Request* request,
                                               Response* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  MutexLock lock(mu_);
  if (services_.contains(request->service())) {
    *response = Status();
    reactor->Finish(grpc::Status::OK);
  } else {
    reactor->Finish({grpc::StatusCode::NOT_FOUND,
                     "this server has no service of this name; grpc.health.v1.Health/List tells its names"});
  }
  return reactor;
}

grpc::ServerUnaryReactor* HealthService::List(grpc::CallbackServerContext* context, const ListRequest*,
                                              ListResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  MutexLock lock(mu_);
  for (const std::string& service : services_) (*response->mutable_statuses())[service] = Status();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthService::Response>* HealthService::Watch(grpc::CallbackServerContext*,
                                                                        const Request* request) {
  auto* const watcher = new Stream([this](Stream* done) {
    MutexLock lock(mu_);
    watchers_.erase(done);
  });
  MutexLock lock(mu_);
  if (shut_down_) {
    watcher->End({grpc::StatusCode::UNAVAILABLE, "this server is shutting down"});
    return watcher;
  }
  const bool known = services_.contains(request->service());
  watchers_.emplace(watcher, known);
  Response response;
  response.set_status(Response::SERVICE_UNKNOWN);
  watcher->Offer(known ? Status() : response);
  return watcher;
}

}  // namespace hubbub::rpc
