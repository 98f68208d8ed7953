#include "connector/connector_service.h"

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "services/base/limits.h"
#include "services/base/utf8.h"
#include "services/pomelo/message.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::connector {
namespace {

// After this many ticks even an unchanged status is told, so that a gate sees that the connector lives.
constexpr int kTicksBetweenStatuses = 20;

absl::Status CheckRoute(const std::string& route) {
  if (route.empty() || route.size() > pomelo::kMaxRouteBytes || !IsUtf8(route)) {
    return absl::InvalidArgumentError(fmt::format(
        "route must have 1 to {} bytes of UTF-8: it is what the client listens for", pomelo::kMaxRouteBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<boost::json::object> BodyOf(const client::ClientContract& contract, const std::string& route,
                                           const google::protobuf::Struct& body) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(body, &text).ok()) {
    return absl::InvalidArgumentError("body cannot be written as JSON: numbers must be finite");
  }
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(text, error);
  if (error || !value.is_object())
    return absl::InvalidArgumentError("body cannot be written as a JSON object");
  if (text.size() > kMaxPushBodyBytes) {
    return absl::InvalidArgumentError(
        fmt::format("body has {} bytes as JSON: at most {} are allowed", text.size(), kMaxPushBodyBytes));
  }
  if (absl::Status status = contract.CheckPush(route, value.get_object()); !status.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("body does not fit the schema of route '{}': {}", route, std::string(status.message())));
  }
  return std::move(value.get_object());
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

// One push to several sessions of a loop, encoded once for each push encoding that they have.
class PushOnce {
 public:
  PushOnce(const std::string& route, const boost::json::object& body) : route_(route), body_(body) {}

  void To(client::ClientSession& session) {
    const client::PushEncoding& encoding = session.push_encoding();
    if (payloads_.size() <= encoding.index()) payloads_.resize(encoding.index() + 1);
    auto& payload = payloads_[encoding.index()];
    if (payload == nullptr) {
      auto bytes = std::make_shared<std::string>();
      encoding.AppendPush(route_, client::ObjectBody(body_), *bytes);
      payload = std::move(bytes);
    }
    session.Write(payload);
  }

 private:
  const std::string& route_;
  const boost::json::object& body_;
  std::vector<net::Payload> payloads_;  // By PushEncoding::index.
};

}  // namespace

ConnectorService::ConnectorService(std::function<v1::WatchStatusResponse()> status,
                                   const client::ClientContract& contract,
                                   std::vector<client::SessionRegistry*> sessions,
                                   std::function<std::vector<rpc::ConnectorPeer>()> peers)
    : status_(std::move(status)),
      contract_(contract),
      sessions_(std::move(sessions)),
      peers_(std::move(peers)) {}

ConnectorService::~ConnectorService() = default;

grpc::ServerWriteReactor<v1::WatchStatusResponse>* ConnectorService::WatchStatus(
    grpc::CallbackServerContext*, const v1::WatchStatusRequest*) {
  auto* const watcher = new Watcher([this](Watcher* done) {
    MutexLock lock(mu_);
    watchers_.erase(done);
  });
  MutexLock lock(mu_);
  watchers_.insert(watcher);
  if (shut_down_) {
    watcher->End({grpc::StatusCode::UNAVAILABLE, "this connector is shutting down"});
  } else {
    watcher->Offer(status_());
  }
  return watcher;
}

void ConnectorService::Tick() {
  MutexLock lock(mu_);
  // Under the lock, so that what is told last is what was so last.
  const v1::WatchStatusResponse status = status_();
  std::string bytes = status.SerializeAsString();
  if (bytes == last_status_ && ++ticks_ < kTicksBetweenStatuses) return;
  ticks_ = 0;
  last_status_ = std::move(bytes);
  for (Watcher* watcher : watchers_) watcher->Offer(status);
}

bool ConnectorService::watched() const {
  MutexLock lock(mu_);
  return !watchers_.empty();
}

void ConnectorService::Shutdown() {
  MutexLock lock(mu_);
  shut_down_ = true;
  for (Watcher* watcher : watchers_)
    watcher->End({grpc::StatusCode::UNAVAILABLE, "this connector is shutting down"});
}

void ConnectorService::OnEveryLoop(std::function<void(client::SessionRegistry&)> work,
                                   std::function<void()> done) {
  struct Round {
    std::function<void(client::SessionRegistry&)> work;
    std::function<void()> done;
    std::atomic<size_t> left;
  };
  auto round = std::make_shared<Round>();
  round->work = std::move(work);
  round->done = std::move(done);
  round->left = sessions_.size();
  for (client::SessionRegistry* registry : sessions_) {
    registry->loop().Post([round, registry] {
      round->work(*registry);
      if (--round->left == 0) round->done();
    });
  }
}

grpc::ServerUnaryReactor* ConnectorService::Disconnect(grpc::CallbackServerContext* context,
                                                       const v1::DisconnectRequest* request,
                                                       v1::DisconnectResponse* response) {
  if (absl::Status status = CheckName("user", request->user()); !status.ok()) return Finish(context, status);
  if (request->reason().size() > 256 || !IsUtf8(request->reason())) {
    return Finish(context, absl::InvalidArgumentError("reason must be at most 256 bytes of UTF-8"));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto ended = std::make_shared<std::atomic<uint32_t>>(0);
  OnEveryLoop(
      [request, ended](client::SessionRegistry& registry) {
        const auto* sessions = registry.SessionsOf(request->user());
        if (sessions == nullptr) return;
        for (client::ClientSession* session : *sessions)
          session->Kick(request->reason().empty() ? "disconnected" : request->reason());
        *ended += static_cast<uint32_t>(sessions->size());
      },
      [this, context, request, response, reactor, ended] {
        response->set_sessions(*ended);
        if (!rpc::WasForwarded(*context))
          return rpc::DisconnectAt(peers_(), *context, request, response, reactor);
        if (*ended > 0) return reactor->Finish(grpc::Status::OK);
        reactor->Finish({grpc::StatusCode::NOT_FOUND,
                         fmt::format("user '{}' has no session on this connector", request->user())});
      });
  return reactor;
}

grpc::ServerUnaryReactor* ConnectorService::Push(grpc::CallbackServerContext* context,
                                                 const v1::PushRequest* request, v1::PushResponse* response) {
  auto users = rpc::UsersOf(*request);
  if (!users.ok()) return Finish(context, users.status());
  if (absl::Status status = CheckRoute(request->route()); !status.ok()) return Finish(context, status);
  auto body = BodyOf(contract_, request->route(), request->body());
  if (!body.ok()) return Finish(context, body.status());

  struct Outcome {
    explicit Outcome(std::vector<std::string> names) : users(std::move(names)), found(users.size()) {}
    const std::vector<std::string> users;
    std::atomic<uint32_t> sessions{0};
    std::vector<std::atomic<bool>> found;  // Of each user.
  };
  auto outcome = std::make_shared<Outcome>(std::move(users->each));
  for (std::string& user : users->repeated) response->add_repeated_users(std::move(user));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  OnEveryLoop(
      [request, outcome, body = *std::move(body)](client::SessionRegistry& registry) {
        PushOnce push(request->route(), body);
        for (size_t i = 0; i < outcome->users.size(); ++i) {
          const auto* sessions = registry.SessionsOf(outcome->users[i]);
          if (sessions == nullptr) continue;
          for (client::ClientSession* session : *sessions) push.To(*session);
          outcome->sessions += static_cast<uint32_t>(sessions->size());
          outcome->found[i] = true;
        }
      },
      [this, context, request, response, reactor, outcome] {
        response->set_sessions(outcome->sessions);
        for (size_t i = 0; i < outcome->users.size(); ++i) {
          if (!outcome->found[i]) response->add_missing_users(outcome->users[i]);
        }
        if (!rpc::WasForwarded(*context)) return rpc::PushAt(peers_(), *context, request, response, reactor);
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* ConnectorService::Broadcast(grpc::CallbackServerContext* context,
                                                      const v1::BroadcastRequest* request,
                                                      v1::BroadcastResponse* response) {
  if (absl::Status status = CheckRoute(request->route()); !status.ok()) return Finish(context, status);
  auto body = BodyOf(contract_, request->route(), request->body());
  if (!body.ok()) return Finish(context, body.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto reached = std::make_shared<std::atomic<uint32_t>>(0);
  OnEveryLoop(
      [request, reached, body = *std::move(body)](client::SessionRegistry& registry) {
        PushOnce push(request->route(), body);
        const std::vector<client::ClientSession*> sessions = registry.All();
        for (client::ClientSession* session : sessions) push.To(*session);
        *reached += static_cast<uint32_t>(sessions.size());
      },
      [this, context, request, response, reactor, reached] {
        response->set_sessions(*reached);
        if (!rpc::WasForwarded(*context))
          return rpc::BroadcastAt(peers_(), *context, request, response, reactor);
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

}  // namespace hubbub::connector
