#include "services/rpc/health_service.h"

#include <utility>

namespace hubbub::rpc {

void HealthService::SetServices(const std::vector<std::string>& services) {
  MutexLock lock(mu_);
  services_.insert(services.begin(), services.end());
}

HealthService::Response HealthService::StatusOf(const std::string& name) const {
  Response response;
  const auto part = parts_.find(name);
  if (part == parts_.end() && !services_.contains(name)) {
    response.set_status(Response::SERVICE_UNKNOWN);
  } else {
    const bool serving = part == parts_.end() ? serving_ : part->second;
    response.set_status(serving ? Response::SERVING : Response::NOT_SERVING);
  }
  return response;
}

void HealthService::Tell() {
  for (auto& [stream, watcher] : watchers_) {
    const Response status = StatusOf(watcher.name);
    if (std::exchange(watcher.told, status.status()) != status.status()) stream->Offer(status);
  }
}

void HealthService::SetServing(bool serving) {
  MutexLock lock(mu_);
  if (shut_down_ || std::exchange(serving_, serving) == serving) return;
  Tell();
}

void HealthService::SetPart(const std::string& part, bool serving) {
  MutexLock lock(mu_);
  if (shut_down_) return;
  parts_[part] = serving;
  Tell();
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
  *response = StatusOf(request->service());
  if (response->status() != Response::SERVICE_UNKNOWN) {
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
  for (const std::string& service : services_) (*response->mutable_statuses())[service] = StatusOf(service);
  for (const auto& [part, serving] : parts_) (*response->mutable_statuses())[part] = StatusOf(part);
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
  const Response status = StatusOf(request->service());
  watchers_.emplace(watcher, Watcher{request->service(), status.status()});
  watcher->Offer(status);
  return watcher;
}

}  // namespace hubbub::rpc
